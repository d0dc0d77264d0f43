"""Everything around training a language model: runs, checkpoints, acceptance, display."""
