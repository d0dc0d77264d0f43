"""omnisafe: the advantages of a path in its buffer."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from rlcalc._lazy import torch
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import one_discount, one_row


@peer(
    "omnisafe.common.buffer.onpolicy_buffer.OnPolicyBuffer._calculate_adv_and_value_targets",
    backend="torch",
    note="a path ends with the value behind it, as a truncation does, so that it is asked for no flags",
    outside=[one_row("rewards"), one_discount],
)
def gae(compute, /, rewards, values, gamma, lam):
    from types import SimpleNamespace

    buffer = SimpleNamespace(_advantage_estimator="gae", _gamma=gamma)
    advantages, returns = compute(buffer, values, torch.cat([rewards, values[-1:]]), lam)
    return {"advantages": advantages, "returns": returns}
