"""What is checked on a training run: every update, exact answers, deliberate faults."""
