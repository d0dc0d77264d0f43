"""Chapter 7, section 7.2: importance sampling, the ratio, and what the ratio of one step leaves out."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import vector
from rlcalc.audit.proofs import answer, positives, reals, sequence, unit
from rlcalc.audit.registry import Statement, claim

FAMILY = "all episodes of this shape: two actions in each of two states, all rewards, policies, 0 < γ < 1"


@claim("L7.2-is-identity", order=1, support=True)
def importance(s: Statement, show: ev.Findings) -> None:
    """Term by term; what q never draws is lost."""
    p, q, f, x = sequence("p"), sequence("q"), sequence("f"), reals("x")
    weight = (p(x) / q(x)) ** s.order
    case = vector("importance/q-zero")
    outcomes = [case.number(name) for name in ("p", "q", "f")]
    whole = sum(chance * value for chance, _, value in zip(*outcomes, strict=True))
    drawn = sum(chance * value for chance, old, value in zip(*outcomes, strict=True) if old != 0)
    show.fill(weight=weight)
    show.against += case.refutes(
        "q never draws the second outcome, whose weight has no value",
        ev.Exact("what q can draw of E_q[(p/q) f] = E_p[f]", drawn, "=", whole),
        violates=ev.Exact("p·f where q is 0", whole - drawn, "!=", 0),
    )
    show.repair.identity(
        "each outcome that q can draw enters with what it has under p",
        q(x) * weight * f(x),
        p(x) * f(x),
        "every x with q(x) > 0, every p and f; sums of such terms, finite or convergent",
    )
    show.repair.identity(
        "each other outcome enters with nothing, and has nothing",
        0 if s.support else p(x) * f(x),
        0,
        "q(x) = 0",
    )


@claim("L7.2-ratio", power=1, start=1, mean=1, covered=True)
def ratio(s: Statement, show: ev.Findings) -> None:
    """Summed over what the old policy can draw, the weights give the new policy's share of it."""
    new, old = unit("a"), unit("b")
    left_out = 0 if s.covered else positives("u")
    mean = sum(
        before * (now / before) ** s.power for now, before in ((new, old), (1 - new - left_out, 1 - old))
    )
    case = vector("importance/audit-ratio-averages-half")
    show.against += case.refutes(
        "the old policy never takes the second action, the new one does",
        ev.Exact("E_old[r] is the mean that is stated", case.answer("estimate"), "=", s.mean),
        violates=ev.Exact("π > π_old for that action", case.given["p"][1], ">", case.given["q"][1]),
    )
    show.repair.identity("at θ_old the ratio is 1", (old / old) ** s.power, s.start, "π_old(a) > 0")
    show.repair.identity("π_old · r = π for each action", old * (new / old) ** s.power, new, "π_old > 0")
    show.repair.identity("the mean for two actions", mean, s.mean, "all policies with two actions")


@claim("L7.2-ratio-measures", ratio=1, relation="=", two_actions=True)
def measures(s: Statement, show: ev.Findings) -> None:
    """A single ratio sees a single action."""
    p, ratio, moved = reals("p r m")
    # the probability of another action, of which m may go to the third
    other = (1 - ratio * p) - (0 if s.two_actions else moved)
    case = vector("kl/audit-ratio-one")
    found = answer("ratio", new=case.given["p"][0], old=case.given["q"][0])
    show.against += case.refutes(
        "the action taken keeps its probability, and the other two do not",
        ev.Exact("r = 1 means that D(π‖π_old) is 0", case.answer(), s.relation, 0),
        premises=(ev.Exact("ratio of the action taken", found, "=", s.ratio),),
        violates=ev.Exact("number of actions", sympy.Integer(len(case.given["p"])), "!=", 2),
    )
    show.repair.identity(
        "two actions: the other one moves by (1 − r) p, which is 0 at r = 1 alone",
        other - (1 - p),
        (1 - ratio) * p,
        "all policies, p the old probability of the action taken",
    )
    show.repair.ordered("so at r = 1 it keeps", other.subs(ratio, s.ratio), s.relation, 1 - p, "all policies")


@claim("L7.2-is-unstable", squared=2, under=1, grows=1)
def unstable(s: Statement, show: ev.Findings) -> None:
    """The variance of the weights is the χ² divergence, which has no bound."""
    p, q, x = sequence("p"), sequence("q"), reals("x")
    excess, share, bound = positives("u"), unit("y"), positives("M")
    # two outcomes: ratio 1 + u at an outcome of probability q, and what is left at the other
    rest = (1 - (1 + excess) * share) / (1 - share)
    variance = share * excess**2 + (1 - share) * (rest - 1) ** 2
    rare = 1 / (1 + bound + positives("d"))
    term = (p(x) - q(x)) ** s.squared / q(x) ** s.under
    show.fill(term=term)
    show.literal.identity(
        "each outcome adds (p − q)²/q to the variance of the weights",
        q(x) * (p(x) / q(x) - 1) ** 2,
        term,
        "every outcome with q > 0; the mean weight is 1",
    )
    show.literal.identity(
        "two outcomes: the slope of the variance by the ratio 1 + u is 2uq/(1 − q)",
        variance.diff(excess),
        s.grows * 2 * excess * share / (1 - share),
        "every u > 0 and every q",
    )
    show.literal.sign("so that it grows", variance.diff(excess), "every u > 0 and every q")
    show.literal.sign(
        "it passes every bound M: p certain, q = 1/(1 + M + d) gives 1/q − 1 > M",
        1 / rare - 1 - bound,
        "every M > 0",
    )


# the surrogate


class Surrogate:
    """A family of episodes of at most two steps, its value and its surrogate.

    In S_0 the first action (probability p) pays x and leads to S_1, the other
    pays y and ends; in S_1 the first action (probability q) pays z, the other
    w. ``value`` is J_old + E_old[Σ γ^t r_t A_t] with the exact advantages of
    the old policy (p, q) at a new policy (P, Q).

    Args:
        histories: the ratios of all steps so far as weight, in place of that of one step.
    """

    def __init__(self, histories: bool = False) -> None:
        self.old, self.new, gamma = (unit("a"), unit("b")), reals("P Q"), unit("g")
        (p, q), (new_p, new_q) = self.old, self.new
        x, y, z, w = reals("x y z w")
        later = q * z + (1 - q) * w
        go, stop = x + gamma * later, y
        before = p * go + (1 - p) * stop
        # ratio · old probability = new probability; S_1 is reached as often as under the old policy
        first = new_p * (go - before) + (1 - new_p) * (stop - before)
        reached = new_p if histories else p
        self.second = reached * gamma * (new_q * (z - later) + (1 - new_q) * (w - later))
        self.value = before + first + self.second
        self.true = new_p * (x + gamma * (new_q * z + (1 - new_q) * w)) + (1 - new_p) * y
        self.missing = gamma * (new_p - p) * (new_q - q) * (z - w)

    def slopes(self, of: Any, *, at_old: bool = True) -> list[Any]:
        """Derivatives by the new policy's probabilities, at the old policy."""
        here = dict(zip(self.new, self.old, strict=True)) if at_old else {}
        return [of.diff(one).subs(here) for one in self.new]


@claim("L7.2-is-gradient", differentiated=False, sign=1)
def gradient(s: Statement, show: ev.Findings) -> None:
    """A number is no gradient; the gradient of that number is one, at θ_old."""
    world = Surrogate()
    slopes = [
        ev.Identity(f"slope of the surrogate by {name}, at the old policy", s.sign * ours, theirs, FAMILY)
        for name, ours, theirs in zip("PQ", world.slopes(world.value), world.slopes(world.true), strict=True)
    ]
    show.fill(nabla=r"\nabla_\theta" if s.differentiated else "")
    if s.differentiated:
        show.literal += slopes
        return
    case = vector("importance/audit-value-is-no-gradient")
    true = answer("policy_gradient", mdp="bandit", theta=[["0", "0"]])[0][0]
    show.against += case.refutes(
        "the bandit of section 4.4 at θ = θ_old = (0, 0): returns 10 and 0, advantages 5 and −5",
        ev.Exact("E_old[r A] = ∂J/∂θ_L", case.answer("estimate"), "=", true),
    )
    show.repair += slopes


@claim("L7.2-per-step-ratio", weight=Choice("step", "history"), at_old=True)
def per_step(s: Statement, show: ev.Findings) -> None:
    """The states are still those of the old policy: an error of second order."""
    is_step = s.weight == "step"
    show.fill(product="" if is_step else r"\prod_k")
    world = Surrogate(histories=not is_step)
    if not is_step:
        show.literal.identity("products of ratios give J exactly", world.value, world.true, FAMILY)
        return
    case, gap = vector("importance/audit-last-ratio-alone"), world.true - world.value
    # even chances before, certainty now; a reward z = 1 after both steps, γ = 9/10
    point = {"a": 1, "b": 1, "g": "1/9", "P": 1, "Q": 1, "x": 0, "y": 0, "z": 1, "w": 0}

    def there(expression: Any) -> Any:
        return expression.subs(
            {symbol: sympy.Rational(point[symbol.name]) for symbol in expression.free_symbols}
        )

    show.against += case.refutes(
        "two steps, a reward 1 after both; each is taken with probability 1/2 before and 1 now",
        ev.Exact("J_old + E_old[Σ γ^t r_t A_t] = J", there(world.value), "=", there(world.true)),
        premises=(ev.Exact("what the second step adds", case.answer("estimate"), "=", there(world.second)),),
        violates=ev.Exact("the new P is not the old one", there(world.old[0]), "!=", 1),
    )
    show.repair.identity(
        "what is missing is of second order", world.value + world.missing, world.true, FAMILY
    )
    for name, slope in zip("PQ", world.slopes(gap, at_old=s.at_old), strict=True):
        show.repair.identity(f"slope of what is missing by {name}", slope, 0, FAMILY)
