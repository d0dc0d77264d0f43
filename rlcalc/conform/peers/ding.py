"""DI-engine: its advantages, on tables of time and environment."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import one_discount, one_row


@peer(
    "ding.rl_utils.gae.gae",
    backend="torch",
    outside=[one_row("rewards"), one_discount],
    note="a termination takes away the value of the next state, and either end ends the recursion",
)
def gae(function, /, rewards, values, gamma, lam, terminated, truncated, next_values):
    from collections import namedtuple

    Steps = namedtuple("Steps", ["value", "next_value", "reward", "done", "traj_flag"])
    columns = (values[:-1], next_values, rewards, terminated, terminated | truncated)
    return {"advantages": function(Steps(*(x[:, None] for x in columns)), gamma, lam)[:, 0]}
