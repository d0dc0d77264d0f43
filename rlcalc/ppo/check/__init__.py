"""What is checked on a training run: every update, exact answers, and a mutation test."""
