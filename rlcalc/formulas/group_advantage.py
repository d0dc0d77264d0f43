"""Group-relative advantages of a whole batch: c_i = r_i − m_g, divided by a scale.

Variances take two passes, since E[r²] − E[r]² cancels in float32. Equal
rewards are recognised by comparing them: rounding of the mean would turn 0/0
into ±1.

Source: Shao et al., arXiv:2402.03300, section 4.1.2.
"""

from __future__ import annotations

from typing import Any

from rlcalc.backends import Backend
from rlcalc.exact import compare
from rlcalc.formulas._groups import Groups
from rlcalc.inputs import Arrays, Inputs
from rlcalc.steps import Derivation, Name, Symbol, Term, apply, term, total


def exact_form(d: Derivation, i: Inputs) -> None:
    rewards = [d.given(Name("r", str(k)), reward) for k, reward in enumerate(i.rewards)]
    members: dict[int, list[int]] = {}
    for k, group in enumerate(i.groups):
        members.setdefault(group, []).append(k)
    mean: dict[int, Symbol] = {}
    centred: dict[int, Symbol] = {}
    for at, (group, own) in enumerate(members.items()):
        alone = len(own) == 1 and i.singleton == "raw"
        why = "of a group of one, taken to be 0" if alone else "mean of a group"
        whole = term(0) if alone else total(rewards[k] for k in own) / len(own)
        mean[group] = d.step(Name("m", str(at)), whole, why)
        for k in own:
            centred[k] = d.step(Name("c", str(k)), rewards[k] - mean[group])
    everywhere = _batch_std(d, i, rewards, [centred[k] for k in range(len(rewards))])
    found: dict[int, Term] = {}
    for at, (group, own) in enumerate(members.items()):
        below = everywhere
        if i.scale == "group":
            below = _group_std(d, i, str(at), [centred[k] for k in own], rewards[own[0]])
        elif i.scale == "mean":
            below = mean[group] if compare(mean[group].value, 0) == 1 else None
        for k in own:
            found[k] = d.step(Name("A", str(k)), _divided(d, i, centred[k], below))
    d.output("advantages", [found[k] for k in range(len(rewards))])


def _divided(d: Derivation, i: Inputs, centred: Symbol, below: Term | None) -> Term:
    if i.scale == "none":
        return centred
    if below is None or centred.value == 0:
        return term(0)
    return centred / (below + d.given("ε", i.eps)) if i.eps else centred / below


def _group_std(d: Derivation, i: Inputs, at: str, deviations: list[Symbol], first: Symbol) -> Term | None:
    """The standard deviation of a group; nothing where all its rewards are equal."""
    if len(deviations) == 1:
        raw = i.singleton == "raw"
        return d.step(Name("s", at), term(1), "of a group of one, taken to be 1") if raw else None
    if all(x.value == 0 for x in deviations):
        return None
    variance = total(x**2 for x in deviations) / (len(deviations) - i.ddof)
    return d.step(Name("s", at), apply("sqrt", variance), "standard deviation of a group")


def _batch_std(d: Derivation, i: Inputs, rewards: list[Symbol], centred: list[Symbol]) -> Term | None:
    """The standard deviation of all rewards, raw or centred; nothing where they are all equal."""
    if not i.scale.startswith("batch"):
        return None
    over = rewards if i.scale == "batch" else centred
    if all(x.value == over[0].value for x in over):
        return None
    mean = d.step(Name("m", "B"), total(over) / len(over), "mean of the batch B")
    variance = total((x - mean) ** 2 for x in over) / (len(over) - i.ddof)
    return d.step(Name("s", "B"), apply("sqrt", variance), "standard deviation of the batch B")


def array_form(xp: Backend, a: Arrays) -> dict[str, Any]:
    """Rewards and groups [..., N] -> advantages [..., N]."""
    rewards, groups = a.rewards, a.groups
    whole = rewards.shape
    complete = 0 in whole or not xp.any_or_unknown(rewards != rewards)
    scored = None
    if not complete:
        # answers without a score are a group of their own, whose advantages are 0
        scored = xp.equal(rewards, rewards)
        groups, _ = xp.broadcast_arrays(xp.placed(groups, rewards), rewards)
        rewards, groups = xp.where(scored, rewards, 0.0), xp.where(scored, groups, groups.min() - 1)
    apart = Groups(xp, groups, rewards)
    rewards = apart.apart(rewards)
    ddof = xp.cast(xp.asarray(a.ddof), rewards.dtype)
    count, equal = apart.counts(rewards), apart.constant(rewards)
    mean, single = apart.means(rewards, count), equal
    if a.singleton == "raw":
        single = count == 1
        mean = xp.where(single, 0.0, mean)
        equal = equal & ~single
    idle = equal if scored is None else equal | ~apart.apart(scored)
    # most batches hold none of which nothing is left: then none has to be looked for
    plain = a.singleton != "raw" and not xp.any_or_unknown(idle)
    centred: Any = rewards - mean
    if not plain:
        centred = xp.where(idle, 0.0, centred)
    if a.scale == "none":
        return {"advantages": centred.reshape(whole)}
    if a.scale == "group" and plain:
        below = xp.sqrt(apart.sums(xp.square(centred)) / (count - ddof))
        return _divided_by(xp, centred, below + a.eps, whole)
    if a.scale == "mean":
        idle, below = ~(mean > 0), mean
    elif a.scale == "group":
        variance = apart.sums(xp.square(centred)) / _positive(xp, count - ddof)
        # a group of one has no deviation; it is taken to have 1
        below = xp.sqrt(xp.where(equal | single, 1.0, variance))
    else:
        centred = centred.reshape(whole)
        over = rewards.reshape(whole) if a.scale == "batch" else centred
        variance, idle = _of_batch(xp, over, xp.equal(over, over) if scored is None else scored, ddof)
        below = xp.sqrt(xp.where(idle, 1.0, variance))
    # of what has no score nothing is left already
    return _divided_by(xp, centred, xp.where(idle, xp.inf, below) + a.eps, whole)


def _divided_by(xp: Backend, centred: Any, below: Any, whole: Any) -> dict[str, Any]:
    return {"advantages": xp.divide(centred, below, out=xp.over(centred, below)).reshape(whole)}


def _of_batch(xp: Backend, values: Any, scored: Any, ddof: Any) -> tuple[Any, Any]:
    """Variance of all values of a batch, and whether they are all equal: [..., 1]."""
    zero = xp.zeros_like(values)
    count = xp.cast(scored, values.dtype).sum(-1)[..., None]
    divisor = _positive(xp, count)
    mean = xp.where(scored, values, zero).sum(-1)[..., None] / divisor
    mean = mean + xp.where(scored, values - mean, zero).sum(-1)[..., None] / divisor
    variance = xp.square(xp.where(scored, values - mean, zero)).sum(-1)[..., None] / _positive(
        xp, count - ddof
    )
    shown = xp.where(scored, values, mean)  # what has no score is neither the largest nor the smallest
    equal = xp.amax(shown, axis=-1) == xp.amin(shown, axis=-1)
    return variance, equal[..., None]


def _positive(xp: Backend, count: Any) -> Any:
    return xp.where(count > 0, count, xp.ones_like(count))
