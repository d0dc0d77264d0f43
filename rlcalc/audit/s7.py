"""Chapter 7: importance sampling, and the probability ratio."""

from __future__ import annotations

from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
    Exact,
    Fact,
    Findings,
    Identity,
    Replay,
    Sign,
    condition,
    correction,
)
from rlcalc.audit.proofs import answer, positives, reals, sequence, unit
from rlcalc.audit.registry import Corruption, Statement, claim

HALF = ["1/2", "1/2"]


def stale_bias(weighted: bool) -> tuple[Any, Any]:
    """Bias of a second REINFORCE update on old samples of the two-action bandit, and its closed form.

    π(L) = p now and q when the samples were drawn; the derivative is by the
    difference of the preferences, so that the scores are 1 − p and −p.
    """
    p, q = unit("x"), unit("y")
    left, right = reals("g_L g_R")
    weight = (p / q, (1 - p) / (1 - q)) if weighted else (1, 1)
    estimate = q * weight[0] * left * (1 - p) - (1 - q) * weight[1] * right * p
    return estimate - p * (1 - p) * (left - right), (q - p) * (left * (1 - p) + right * p)


def _good_updates() -> int:
    """Updates on one batch, π(L) moving from 1/2 to 3/4, whose expected direction is the gradient."""
    import sympy

    bias, _ = stale_bias(False)
    found = 0
    for now in (sympy.Rational(1, 2), sympy.Rational(3, 4)):
        point = {s: {"x": 1 / now - 1, "y": 1, "g_L": 10, "g_R": 0}[s.name] for s in bias.free_symbols}
        if bias.subs(point) != 0:
            break
        found += 1
    return found


@claim(
    "L7.2-stale",
    updates=1,
    corruptions=[Corruption("two updates per batch", updates=2), Corruption("none", updates=0)],
)
def stale(s: Statement) -> Findings:
    """From the second update on the unweighted estimate points elsewhere."""
    bias, closed = stale_bias(False)
    return Findings(
        literal=[
            Identity(
                "an unweighted update on old samples is off by (q − p)(g_L(1−p) + g_R p)",
                bias,
                closed,
                "two actions, every policy q of the samples, every policy p, all returns; 0 at p = q",
            ),
            Fact(
                "updates from one batch along the gradient of J, in expectation",
                _good_updates(),
                "=",
                s.updates,
                "the bandit of section 4.4: π(L) = 1/2 when the samples were drawn, 3/4 after the update",
            ),
        ]
    )


@claim(
    "L7.2-must-discard",
    weighted=False,
    corruptions=[Corruption("condition dropped: samples may be weighted", weighted=True)],
)
def must_discard(s: Statement) -> Findings:
    """Weighted by the ratio, the same old samples give the new policy's value exactly."""
    old = answer("importance", "estimate", p=["3/4", "1/4"], q=HALF, f=["10", "0"])
    bias, closed = stale_bias(s.weighted)
    return Findings(
        against=[
            Counterexample(
                "the bandit of section 4.4: returns drawn by (1/2, 1/2), reweighted to (3/4, 1/4)",
                given={"π_old": "1/2 1/2", "π": "3/4 1/4", "G": "10 0"},
                claimed=Exact("old samples miss the new policy's value", old, "!=", "15/2"),
                violates=Exact("the samples are weighted: the first by", "3/2", "!=", 1),
                replay=(
                    Replay("rlcalc importance --p 3/4 1/4 --q 1/2 1/2 --f 10 0", "15/2", "estimate"),
                    Replay("rlcalc importance --p 3/4 1/4 --q 1/2 1/2 --f 10 0", ["3/2", "1/2"], "weights"),
                ),
                golden="importance/audit-stale-samples-reweighted",
            )
        ],
        repair=condition(
            "They are useless for the unweighted estimate of REINFORCE; weighted by the ratio of the "
            "probabilities "
            "of what was done they stay usable, at the price of variance.",
            [Identity("unweighted, they are off by (q − p)(g_L(1−p) + g_R p)", bias, closed, "two actions")],
        ),
    )


def _importance(s: Statement) -> Findings:
    """Term by term; what q never draws is lost."""
    p, q, f, x = sequence("p"), sequence("q"), sequence("f"), reals("x")
    over, under = (p(x), q(x)) if s.order == 1 else (q(x), p(x))
    lost = 0 if s.support else p(x) * f(x)
    direct = answer("importance", "expectation", p=HALF, q=HALF, f=["1", "1"])
    # what samples of q = (1, 0) can show of the same p and f
    drawn = answer("importance", "estimate", p=HALF, q=["1", "0"], f=["1", "0"])
    return Findings(
        against=[
            Counterexample(
                "q never draws the second outcome",
                given={"p": "1/2 1/2", "q": "1 0", "f": "1 1"},
                claimed=Exact("E_q[(p/q) f] = E_p[f]", drawn, "=", direct),
                violates=Exact("q is 0 where p·f is 1/2", "1/2", "!=", 0),
                replay=(
                    Replay("rlcalc importance --p 1/2 1/2 --q 1 0 --f 1 1", "q_does_not_cover_p", "error"),
                    Replay("rlcalc importance --p 1/2 1/2 --q 1 0 --f 1 0", "1/2", "estimate"),
                ),
                golden="importance/q-zero",
                search="distributions over two outcomes with f = 1",
            )
        ],
        repair=condition(
            "It holds if q(x) > 0 wherever p(x) f(x) is not 0 (and the expectation exists).",
            [
                Identity(
                    "each outcome that q can draw enters with what it has under p",
                    q(x) * (over / under) * f(x),
                    p(x) * f(x),
                    "every x with q(x) > 0, every p and f; sums of such terms, finite or convergent",
                ),
                Identity("each other outcome enters with nothing, and has nothing", lost, 0, "q(x) = 0"),
            ],
            latex=r"p(x) f(x) \ne 0 \implies q(x) > 0",
        ),
    )


_IMPORTANCE: dict[str, Any] = {
    "order": 1,
    "support": True,
    "corruptions": [
        Corruption("weight q/p instead of p/q", order=-1),
        Corruption("condition dropped: q may be 0 anywhere", support=False),
    ],
}
claim("L7.2-is-identity", **_IMPORTANCE)(_importance)
claim("L7.5-is-identity", **_IMPORTANCE)(_importance)


def two_steps() -> dict[str, Any]:
    """A family of episodes of at most two steps, its value and its surrogate.

    In S_0 the first action (probability p) pays x and leads to S_1, the other
    pays y and ends; in S_1 the first action (probability q) pays z, the other
    w. ``surrogate`` is J_old + E_old[Σ γ^t r_t A_t] with the exact advantages of
    the old policy (p, q) at a new policy (P, Q).
    """
    p, q, gamma = unit("a"), unit("b"), unit("g")
    new_p, new_q = reals("P Q")
    x, y, z, w = reals("x y z w")
    later = q * z + (1 - q) * w
    go, stop = x + gamma * later, y
    old = p * go + (1 - p) * stop
    # ratio · old probability = new probability; S_1 is reached as often as under the old policy
    first = new_p * (go - old) + (1 - new_p) * (stop - old)
    second = p * gamma * (new_q * (z - later) + (1 - new_q) * (w - later))
    true = new_p * (x + gamma * (new_q * z + (1 - new_q) * w)) + (1 - new_p) * y
    return {
        "p": p,
        "q": q,
        "P": new_p,
        "Q": new_q,
        "surrogate": old + first + second,
        "J": true,
        "gap": gamma * (new_p - p) * (new_q - q) * (z - w),
        # the whole history as weight, in place of the ratio of one step
        "history": old + first + new_p / p * second,
    }


FAMILY = "all episodes of this shape: two actions in each of two states, all rewards, policies, 0 < γ < 1"


@claim(
    "L7.2-is-gradient",
    differentiated=False,
    sign=1,
    corruptions=[
        Corruption("differentiated, and at the old policy", differentiated=True),
        Corruption("sign of the gradient flipped", sign=-1),
    ],
)
def gradient(s: Statement) -> Findings:
    """A number is no gradient; the gradient of that number is one, at θ_old."""
    world = two_steps()
    here = {world["P"]: world["p"], world["Q"]: world["q"]}
    slopes = [
        Identity(
            f"∂/∂{name} of the surrogate at the old policy is ∂J/∂{name}",
            s.sign * world["surrogate"].diff(world[name]).subs(here),
            world["J"].diff(world[name]).subs(here),
            FAMILY,
        )
        for name in ("P", "Q")
    ]
    theta, start = reals("theta theta_0")
    policy = sequence("pi")
    slope = (policy(theta) / policy(start)).diff(theta)
    ratio = Identity(
        "∇(π/π_old) = (π/π_old) ∇ log π",
        slope,
        policy(theta) / policy(start) * (policy(theta).diff(theta) / policy(theta)),
        "every differentiable policy, every θ",
    )
    if s.differentiated:
        return Findings(literal=[*slopes, ratio])
    value = answer("importance", "estimate", p=HALF, q=HALF, f=["5", "-5"])
    true = answer("policy_gradient", mdp="bandit", theta=[["0", "0"]])
    return Findings(
        against=[
            Counterexample(
                "the bandit of section 4.4 at θ = θ_old = (0, 0): returns 10 and 0, advantages 5 and −5",
                given={"π = π_old": "1/2 1/2", "A": "5 −5"},
                claimed=Exact("E_old[r A] = ∂J/∂θ_L", value, "=", true[0][0]),
                replay=(
                    Replay("rlcalc importance --p 1/2 1/2 --q 1/2 1/2 --f 5 -5", "0", "estimate"),
                    Replay("rlcalc policy-gradient --mdp bandit --theta 0 0", ["5/2", "-5/2"]),
                ),
                golden="importance/audit-value-is-no-gradient",
                search="all policies: with exact advantages the mean is 0 at θ_old, always",
            )
        ],
        repair=correction(
            "The mean is the surrogate objective, a number (0 at θ_old). Its gradient E_old[r A ∇ log π] is "
            "∇J at θ = θ_old, and near it only approximately.",
            [*slopes, ratio],
            latex=r"\nabla_\theta J(\theta_{\text{old}}) = "
            r"\nabla_\theta \mathbb{E}_{\text{old}}[ r_t(\theta) A_t ] \quad (\theta = \theta_{\text{old}})",
        ),
    )


@claim(
    "L7.2-per-step-ratio",
    weight="step",
    at_old=True,
    corruptions=[
        Corruption("the ratios of all steps so far, multiplied", weight="history"),
        Corruption("condition dropped: exact away from θ_old too", at_old=False),
    ],
)
def per_step(s: Statement) -> Findings:
    """The states are still those of the old policy: an error of second order."""
    world = two_steps()
    if s.weight == "history":
        return Findings(
            literal=[
                Identity("products of ratios give J exactly", world["history"], world["J"], FAMILY),
            ]
        )
    gap = world["J"] - world["surrogate"]
    here = {world["P"]: world["p"], world["Q"]: world["q"]} if s.at_old else {}
    old = "9/40"
    first = answer("importance", "estimate", p=["1", "0"], q=HALF, f=["9/40", "-9/40"])
    drawn = ["1/2", "1/4", "1/4"]
    second = answer("importance", "estimate", p=["1/2", "0", "1/2"], q=drawn, f=["0", "-9/20", "9/20"])
    true = answer("importance", "estimate", p=["0", "0", "1"], q=drawn, f=["0", "0", "9/10"])
    from rlcalc.audit.zero import as_expression

    total = sum((as_expression(part) for part in (first, second)), as_expression(old))
    return Findings(
        against=[
            Counterexample(
                "two steps, a reward 1 behind both; each is taken with probability 1/2 before and 1 now",
                given={"p = q": "1/2", "P = Q": 1, "x y z w": "0 0 1 0", "γ": "9/10"},
                claimed=Exact("J_old + E_old[Σ γ^t r_t A_t] = J", total, "=", true),
                violates=Exact("the new policy is not the old one", 1, "!=", "1/2"),
                replay=(
                    Replay(
                        "rlcalc importance --p 1/2 0 1/2 --q 1/2 1/4 1/4 --f 0 -9/20 9/20", "9/40", "estimate"
                    ),
                    Replay(
                        "rlcalc importance --p 0 0 1 --q 1/2 1/4 1/4 --f 0 -9/20 9/20", "9/20", "estimate"
                    ),
                ),
                golden="importance/audit-last-ratio-alone",
                search="numbers of steps: with one step the ratio of the step is the whole weight",
            )
        ],
        repair=condition(
            "It holds to first order at θ = θ_old, and exactly where both policies visit the states alike "
            "(episodes of one step). Otherwise each step needs the product of the ratios up to it, or "
            "the policies "
            "must stay close: the error is γ(P − p)(Q − q)(z − w) in the two-step family.",
            [
                Identity(
                    "what is missing is of second order",
                    world["surrogate"] + world["gap"],
                    world["J"],
                    FAMILY,
                ),
                Identity("∂/∂P of what is missing", gap.diff(world["P"]).subs(here), 0, FAMILY),
                Identity("∂/∂Q of what is missing", gap.diff(world["Q"]).subs(here), 0, FAMILY),
            ],
            latex=r"J(\theta) = \mathbb{E}_{\text{old}}\left[ \sum_t \gamma^t R_{t+1} \prod_{k=0}^{t} "
            r"r_k(\theta) \right]",
        ),
    )


@claim(
    "L7.2-ratio",
    upside_down=False,
    mean=1,
    covered=True,
    corruptions=[
        Corruption("old over new", upside_down=True),
        Corruption("mean 0", mean=0),
        Corruption("condition dropped: the old policy may leave actions out", covered=False),
    ],
)
def ratio(s: Statement) -> Findings:
    """Summed over what the old policy can draw, the weights give the new policy's share of it."""
    new, old = unit("a"), unit("b")
    left_out = 0 if s.covered else positives("u")
    total = sum(
        before * (before / now if s.upside_down else now / before)
        for now, before in ((new, old), (1 - new - left_out, 1 - old))
    )
    half = answer("importance", "estimate", p=HALF, q=["1", "0"], f=["1", "0"])
    prob, weight = sequence("pi"), sequence("mu")
    a = reals("a")
    return Findings(
        against=[
            Counterexample(
                "the old policy never takes the second action, the new one does",
                given={"π_old": "1 0", "π": "1/2 1/2"},
                claimed=Exact("E_old[r] is the mean that is stated", half, "=", s.mean),
                violates=Exact("π > 0 where π_old = 0", "1/2", ">", 0),
                replay=(
                    Replay("rlcalc importance --p 1/2 1/2 --q 1 0 --f 1 0", ["1/2", "0"], "weights"),
                    Replay("rlcalc importance --p 1/2 1/2 --q 1 0 --f 1 0", "1/2", "estimate"),
                ),
                golden="importance/audit-ratio-averages-half",
                search="policies over two actions: it is the one with the least mass left over",
            )
        ],
        repair=condition(
            "The mean is 1 if the old policy takes every action that the new one may take (a softmax does).",
            [
                Identity("at θ_old the ratio is 1", prob(a) / prob(a), 1, "every policy, π_old(a) > 0"),
                Identity(
                    "π_old · r = π for each action", weight(a) * (prob(a) / weight(a)), prob(a), "π_old > 0"
                ),
                Identity("the mean for two actions", total, s.mean, "all policies with two actions"),
            ],
        ),
    )


@claim(
    "L7.2-ratio-measures",
    actions=2,
    corruptions=[Corruption("condition dropped: three actions", actions=3)],
)
def measures(s: Statement) -> Findings:
    """A single ratio sees a single action."""
    p, moved = unit("a"), reals("m")
    # the probability of another action, of which m may go to the third
    other = (1 - p) - (moved if s.actions == 3 else 0)
    divergence = answer("kl", p=["1/2", "1/2", "0"], q=["1/2", "1/4", "1/4"])
    return Findings(
        against=[
            Counterexample(
                "the action taken keeps its probability, so that r = 1, and the other two do not",
                given={"π_old": "1/2 1/4 1/4", "π": "1/2 1/2 0", "a": "the first"},
                claimed=Exact("r = 1 means that D(π‖π_old) is 0", divergence, "=", 0),
                premises=(Exact("ratio", answer("ratio", new="1/2", old="1/2"), "=", 1),),
                violates=Exact("number of actions", 3, "!=", 2),
                replay=(
                    Replay("rlcalc ratio --new 1/2 --old 1/2", "1"),
                    Replay("rlcalc kl --p 1/2 1/2 0 --q 1/2 1/4 1/4", "log(2)/2"),
                ),
                golden="kl/audit-ratio-one",
                search="numbers of actions: with two the ratio of one settles both",
            )
        ],
        repair=condition(
            "It measures the change of the one action that was taken; it settles the policy in a state only "
            "where there are two actions. Change as a whole is a mean over actions, as the KL divergence is.",
            [
                Identity(
                    "two actions: equal probability of one leaves the other", other, 1 - p, "all policies"
                )
            ],
        ),
    )


@claim(
    "L7.2-is-unstable",
    under="q",
    grows=1,
    corruptions=[
        Corruption("variance falls as the ratio grows", grows=-1),
        Corruption("squared difference over p", under="p"),
    ],
)
def unstable(s: Statement) -> Findings:
    """The variance of the weights is the χ² divergence, which has no bound."""
    p, q, x = sequence("p"), sequence("q"), reals("x")
    excess, share, bound = positives("u"), unit("y"), positives("M")
    # two outcomes: ratio 1 + u at an outcome of probability q, and what is left at the other
    rest = (1 - (1 + excess) * share) / (1 - share)
    variance = share * excess**2 + (1 - share) * (rest - 1) ** 2
    rare = 1 / (1 + bound + positives("d"))
    return Findings(
        literal=[
            Identity(
                "each outcome adds (p − q)²/q to the variance of the weights",
                q(x) * (p(x) / q(x) - 1) ** 2,
                (p(x) - q(x)) ** 2 / (q(x) if s.under == "q" else p(x)),
                "every outcome with q > 0; the mean weight is 1",
            ),
            Sign(
                "two outcomes: the variance grows with the ratio 1 + u",
                s.grows * variance.diff(excess),
                "every u > 0 and every q",
            ),
            Sign(
                "it passes every bound M: p certain, q = 1/(1 + M + d) gives 1/q − 1 > M",
                1 / rare - 1 - bound,
                "every M > 0",
            ),
        ]
    )
