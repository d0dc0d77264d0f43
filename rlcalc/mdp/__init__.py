"""Decision processes: the model, its readers and the built-in ones."""
