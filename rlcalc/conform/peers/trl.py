"""trl: what it offers as functions. Advantages and losses are inside its trainers' methods."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import without_zeros


@peer("trl", "entropy", "trl.trainer.utils.entropy_from_logits", backend="torch", outside=without_zeros)
def entropy(function, /, p):
    return function(p.log())
