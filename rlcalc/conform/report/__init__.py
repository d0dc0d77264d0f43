"""What a run of conform says: text, JSON, JUnit and the smallest failing case."""
