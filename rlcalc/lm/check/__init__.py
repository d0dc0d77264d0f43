"""What is checked on a run of a language model: every update, and a mutation test of the checks."""
