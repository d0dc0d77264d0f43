"""d3rlpy: the returns of its transitions of several steps."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import one_discount, one_row


@peer(
    "d3rlpy.dataset.MultiStepTransitionPicker",
    note="of one episode to its end; the value after n steps is added by its algorithms",
    outside=[one_row("rewards"), one_discount],
)
def discounted_return(MultiStepTransitionPicker, /, rewards, gamma):
    from d3rlpy.dataset import Episode

    steps = len(rewards)
    column = rewards[:, None]
    episode = Episode(np.zeros_like(column), np.zeros_like(column), column, terminated=True)
    pick = MultiStepTransitionPicker(n_steps=steps, gamma=gamma)
    return np.array([pick(episode, start).reward[0] for start in range(steps)])
