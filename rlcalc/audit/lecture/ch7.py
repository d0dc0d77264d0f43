"""Chapter 7: importance sampling, and the probability ratio."""

from __future__ import annotations

from typing import Any

from rlcalc.audit.cases import vector
from rlcalc.audit.evidence import (
    Counterexample,
    Exact,
    Findings,
    Identity,
    Replay,
    Sign,
    condition,
)
from rlcalc.audit.proofs import answer, ordered, positives, reals, sequence, unit
from rlcalc.audit.registry import Corruption, Statement, claim
from rlcalc.audit.zero import as_expression

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


@claim(
    "L7.2-stale",
    relation="!=",
    weighted=False,
    corruptions=[Corruption("the mean is the gradient", relation="=")],
)
def stale(s: Statement) -> Findings:
    """The bias of an unweighted second update is a product; its second factor can vanish by luck."""
    case = vector("importance/audit-stale-by-luck")
    true, old = case.answer(q=case.given["p"]), case.answer(p=case.given["q"])
    bias, closed = stale_bias(s.weighted)
    pay_left, pay_right = 2 * as_expression(case.given["f"][0]), -2 * as_expression(case.given["f"][1])
    shift, size = positives("d c")
    over = "q − p and g_L(1−p) + g_R p are not 0"
    return Findings(
        against=[
            Counterexample(
                "returns 1 and −1, π = 1/2 and π_old = 3/4: both sides are 1/2",
                Exact(f"mean over the old policy {s.relation} the gradient", old, s.relation, true),
                golden=case,
                premises=(Exact("the policies differ", case.given["p"][0], "!=", case.given["q"][0]),),
                violates=Exact("g_L(1 − p) + g_R p", (pay_left + pay_right) / 2, "=", 0),
            )
        ],
        repair=[
            Identity(
                "an unweighted update on old samples is off by (q − p)(g_L(1−p) + g_R p)",
                bias,
                closed,
                "two actions, every policy q of the samples, every policy p, all returns; 0 at p = q",
            ),
            ordered("a product that is not 0", shift * size, s.relation, 0, over),
            ordered("of either sign", -shift * size, s.relation, 0, over),
        ],
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
            "They are useless for the unweighted estimate of REINFORCE. Weighted by the ratio of the "
            "probabilities of what was done they stay usable, at the price of variance.",
            [Identity("unweighted, they are off by (q − p)(g_L(1−p) + g_R p)", bias, closed, "two actions")],
        ),
    )


@claim(
    "L7.2-is-identity",
    order=1,
    support=True,
    corruptions=[
        Corruption("weight q/p instead of p/q", order=-1),
        Corruption("condition dropped: q may be 0 anywhere", support=False),
    ],
)
def importance(s: Statement) -> Findings:
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
                search="policies over two actions: an old one that never takes an action of the new one",
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
        Corruption("variance grows twice as fast", grows=2),
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
            Identity(
                "two outcomes: the slope of the variance by the ratio 1 + u is 2uq/(1 − q)",
                variance.diff(excess),
                s.grows * 2 * excess * share / (1 - share),
                "every u > 0 and every q",
            ),
            Sign("so that it grows", variance.diff(excess), "every u > 0 and every q"),
            Sign(
                "it passes every bound M: p certain, q = 1/(1 + M + d) gives 1/q − 1 > M",
                1 / rare - 1 - bound,
                "every M > 0",
            ),
        ]
    )
