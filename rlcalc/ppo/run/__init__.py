"""Everything around training: runs, evaluation, checkpoints, ranks, display."""
