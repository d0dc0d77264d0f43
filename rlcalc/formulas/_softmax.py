"""What the softmax formulas share: the policy and its score as terms and as arrays.

π(a) = exp(θ_a) / Σ_b exp(θ_b),   ∂ log π(a) / ∂θ_b = [a = b] − π(b).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rlcalc.backends import Backend
from rlcalc.errors import InputError, many
from rlcalc.exact.effort import charge
from rlcalc.inputs import Arrays, Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Quotient, Symbol, Term, apply, total
from rlcalc.steps.values import Value, add, exp, tidy


@dataclass(frozen=True, eq=False)
class Softmax(Quotient):
    """exp(θ_a) / Σ_b exp(θ_b), evaluated as 1 / Σ_b exp(θ_b − θ_a).

    Both sides of the fraction are divided by the numerator, which gives the
    short form: 1/(1 + exp(−1)) rather than exp(1/2)/(exp(1/2) + exp(−1/2)).
    """

    logits: tuple[Term, ...]
    chosen: int

    def evaluate(self) -> Value:
        own = self.logits[self.chosen].value
        # exponentials that differ have to be put in order, which costs more than adding them
        charge(80 * len(self.logits), "constants")
        return 1 / add([exp(tidy(add([logit.value, -own]))) for logit in self.logits])


def softmax_terms(logits: Sequence[Term]) -> list[Term]:
    """π(a) for every action, as terms."""
    powers = [apply("exp", logit) for logit in logits]
    whole = total(powers)
    return [Softmax(power, whole, tuple(logits), a) for a, power in enumerate(powers)]


def exact_policy(d: Derivation, logits: Sequence[Term], sup: str = "") -> list[Symbol]:
    """Steps π(0), π(1), … from the logits."""
    return [
        d.step(Name("π", sup=sup, arg=Name(str(a))), quotient)
        for a, quotient in enumerate(softmax_terms(logits))
    ]


def exact_score(d: Derivation, policy: Sequence[Symbol], action: int) -> list[Symbol]:
    """Steps ∂ log π(a) / ∂θ_b = [a = b] − π(b)."""
    return [d.step(score_name(action, b), int(action == b) - chance) for b, chance in enumerate(policy)]


def score_name(action: int, b: int) -> Name:
    tex = rf"\frac{{\partial \log \pi({action})}}{{\partial \theta_{{{b}}}}}"
    return Name(f"∂ log π({action})/∂θ_{b}", tex=tex)


def check_softmax(i: Inputs) -> None:
    """The condition between ``theta`` and ``action``, on exact inputs."""
    check_action(i.action, len(i.theta))


def check_action(action: int, count: int) -> None:
    """Refuse an action index beyond the last one.

    Raises:
        InputError: ``action_out_of_range``.
    """
    if not 0 <= action < count:
        raise InputError(
            "action_out_of_range",
            f"{spelled('action')} must be from 0 to {count - 1}, not {action}: "
            f"{spelled('theta')} has {many(count, 'entry', 'entries')}.",
            "Actions are counted from 0.",
        )


def check_action_arrays(a: Arrays) -> None:
    """``check_action`` for indices [...]."""
    found = a.look("action")
    if found is not None and found[0].size:
        for action in (found[0].min(), found[0].max()):
            check_action(int(action), a.theta.shape[-1])


def score(xp: Backend, policy: Any, action: Any) -> Any:
    """onehot(action) − π; 1 − π(a) is the sum of the others, which does not cancel near 1."""
    chosen = xp.indices(policy.shape[-1], policy) == xp.placed(action, policy)[..., None]
    others = xp.where(chosen, xp.zeros_like(policy), policy)
    return xp.where(chosen, others.sum(axis=-1, keepdims=True), -policy)
