"""What a run of conform says: for people, as data, and the smallest failing case with a test of it."""
