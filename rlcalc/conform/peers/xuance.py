"""xuance: the advantages that its rollout buffer computes at the end of a path."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from functools import partial

from rlcalc._lazy import np
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import one_discount, one_sequence

_peer = partial(
    peer,
    function="xuance.common.memory_tools.DummyOnPolicyBuffer.finish_path",
    note="a path is also finished at a truncation, from the value after it, so that it is asked for none",
    outside=[one_sequence, one_discount],
)


@_peer()
def gae(finish, /, rewards, values, gamma, lam, terminated):
    # the attributes that the method reads, of a buffer of one environment that is full of one path
    from types import SimpleNamespace

    steps = len(rewards)
    rows = {
        "rewards": rewards[None],
        "values": values[None, :-1],
        "terminals": terminated[None].astype(float),
    }
    empty = {"returns": np.zeros((1, steps)), "advantages": np.zeros((1, steps))}
    numbers = {"gamma": gamma, "gae_lam": lam, "use_gae": True, "full": True}
    places = {"start_ids": np.zeros(1, int), "n_size": steps, "ptr": 0}
    buffer = SimpleNamespace(**rows, **empty, **numbers, **places)
    finish(buffer, values[-1], 0)
    return {"advantages": buffer.advantages[0], "returns": buffer.returns[0]}
