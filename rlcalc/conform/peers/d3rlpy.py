"""d3rlpy: the returns of its transitions of several steps, and the loss of its quantiles."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import one_discount, one_row


@peer(
    "d3rlpy",
    "discounted_return",
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


@peer(
    "d3rlpy",
    "quantile_huber_loss",
    "d3rlpy.models.torch.q_functions.utility.compute_quantile_huber_loss",
    backend="torch",
    note="summed over the quantiles and averaged over the targets, with kappa = 1",
)
def quantile_huber_loss(function, /, quantiles, targets, taus):
    rows, columns = quantiles.shape[:-1], quantiles.shape[-1]
    own, others = quantiles.reshape(-1, 1, columns), targets.reshape(-1, targets.shape[-1], 1)
    return {"loss": function(own, others, taus.reshape(-1, 1, columns)).reshape(rows)}
