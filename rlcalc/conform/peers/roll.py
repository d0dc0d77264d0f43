"""ROLL: the aggregation of its losses, mode by mode, and the advantages of a group."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from functools import partial

from rlcalc.conform.peers import peer
from rlcalc.conform.peers.scope import groups_in_a_row, no_options, one_table, only, something_valid

_PLACE = "roll.utils.functionals"
_peer = partial(peer, backend="torch")


def _loss(**more):
    more.setdefault("outside", one_table("loss"))
    return _peer(f"{_PLACE}.agg_loss", **more)


@_loss(
    settings={"way": "token-mean"},
    note='loss_agg_mode="token-mean"; without a valid token it divides by 0',
    outside=[one_table("loss"), something_valid],
)
@_loss(
    settings={"way": "seq-mean-token-mean"},
    convention="seq-mean-token-mean count-all-rows denominator-plus-eps=1e-8",
    note='loss_agg_mode="seq-mean-token-mean", its default; the mean over all rows, plus 1e-8',
)
@_loss(
    settings={"way": "seq-mean-token-sum-norm"},
    convention="fixed-divisor-sum",
    note='loss_agg_mode="seq-mean-token-sum-norm": the sum by the width alone, in its source',
)
def loss_aggregation(function, /, loss, mask, way, tokens=None, sequences=None):
    return {"loss": function(loss, mask.long(), way, tokens, sequences)}


@_peer(
    f"{_PLACE}.group_reward_norm",
    convention="eps-1e-6",
    note="1e-6 stands in its source; groups of one size, one after the other, and of two answers or more",
    outside=[groups_in_a_row, no_options("ddof", "eps"), only(scale="group")],
)
def group_advantage(function, /, rewards, groups):
    from types import SimpleNamespace

    data = SimpleNamespace(batch={"response_level_rewards": rewards})
    return function(data, int((groups == groups[0]).sum())).batch["response_level_rewards"]


@_peer(
    f"{_PLACE}.compute_gae_advantage_return",
    convention="interior-ignored",
    note="it is given no mask, and steps through every token",
    outside=one_table("rewards"),
)
def token_gae(function, /, rewards, values, mask, gamma, lam):
    advantages, returns = function(rewards, values, gamma, lam)
    return {"advantages": advantages * mask, "returns": returns * mask}
