"""tinker-cookbook: its preference loss."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import one_row


@peer(
    "tinker_cookbook",
    "dpo_loss",
    "tinker_cookbook.preference.train_dpo.compute_dpo_loss",
    backend="torch",
    outside=one_row("chosen"),
)
def dpo_loss(function, /, chosen, rejected, ref_chosen, ref_rejected, beta):
    return {"loss": function(list(chosen), list(rejected), list(ref_chosen), list(ref_rejected), beta)[0]}
