"""The function under test: loading it, calling it, and a process of its own."""
