"""What a function can do, found by trying before it is judged."""
