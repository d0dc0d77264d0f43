"""Chapter 4, sections 4.1 and 4.2: the log-derivative trick and what REINFORCE does."""

from __future__ import annotations

from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
    Evidence,
    Exact,
    Fact,
    Findings,
    Identity,
    Induction,
    Replay,
    Sign,
    condition,
)
from rlcalc.audit.policies import odds_gain
from rlcalc.audit.proofs import answer, positives, reals
from rlcalc.audit.registry import Corruption, Statement, claim

ANY_SOFTMAX = "a softmax policy of any number of actions in one state, any step size and size of the return"


@claim(
    "L4.1-policy-direct",
    step="reinforce_step",
    corruptions=[Corruption("a method that learns values instead", step="td_update")],
)
def policy_direct(s: Statement) -> Findings:
    """The step of REINFORCE takes preferences and a return, and no value of anything."""
    from rlcalc.specs import load_formula

    inputs = {each.name for each in load_formula(s.step).parameters}
    return Findings(
        literal=[
            Fact(
                "the step needs preferences, an action and its return",
                {"theta", "action", "return_"},
                "subset",
                inputs,
            ),
            Fact(
                "no value estimate is learned or used", inputs & {"value", "values", "next_value"}, "=", set()
            ),
        ]
    )


@claim(
    "L4.1-low-score-less",
    effect="<",
    has_baseline=True,
    corruptions=[
        Corruption("condition dropped: low scores are still above the baseline", has_baseline=False),
        Corruption("low scores make the throw more likely", effect=">"),
    ],
)
def low_score_less(s: Statement) -> Findings:
    """Without a baseline a score of 1 out of 10 still raises what led to it."""
    before, after = _policy_after("1")
    baseline, gap, step = positives("b g alpha")
    score = baseline - gap if s.has_baseline else baseline + gap
    sign = -1 if s.effect == "<" else 1
    return Findings(
        against=[
            Counterexample(
                "two ways of throwing, equally likely; one was tried and scored 1 where 10 is possible",
                given={"θ": "0 0", "G": 1, "α": "1/10"},
                claimed=Exact(f"π after {s.effect} π before", after, s.effect, before),
                premises=(Exact("the score is low", 1, "<", 10),),
                violates=Exact("it is not below the baseline, which is 0", 1, ">=", 0),
                replay=(_replay("1", ["1/(1 + exp(-1/10))", "1/(1 + exp(1/10))"]),),
                golden="reinforce_step/audit-low-score-raised",
                search="all positive scores: each is a counterexample",
            )
        ],
        repair=condition(
            "It holds for scores below a baseline that is subtracted first; without one only negative scores "
            "make an action less likely.",
            [
                Sign(
                    "the odds against every other action fall",
                    sign * odds_gain(step * (score - baseline)),
                    ANY_SOFTMAX,
                )
            ],
            latex=r"G < b \implies \pi_{\text{new}}(a) < \pi_{\text{old}}(a)",
        ),
    )


def _policy_after(score: str) -> tuple[Any, Any]:
    """π(a) of the first of two equally likely actions before and after a step of REINFORCE."""
    inputs: dict[str, Any] = {"theta": ["0", "0"], "action": 0, "return_": score}
    before = answer("reinforce_step", "policy_before", **inputs)
    return before[0], answer("reinforce_step", "policy", **inputs)[0]


def _replay(score: str, policy: list[str]) -> Replay:
    return Replay(f"rlcalc reinforce-step --theta 0 0 --action 0 --return {score}", policy, "policy")


@claim(
    "L4.2-naive-gradient",
    relation="!=",
    corruptions=[Corruption("the gradient simply moves inside", relation="=")],
)
def naive_gradient(s: Statement) -> Findings:
    """Of two outcomes: ∇(p x + (1−p) y) is (x − y)∇p, the mean of ∇x and ∇y is 0."""
    import sympy

    x, y, p, slope = reals("x y p dp")
    true = answer("policy_gradient", mdp="bandit", theta=[["0", "0"]])[0][0]
    naive = sum(w * sympy.diff(value, p) for w, value in ((p, x), (1 - p, y)))
    return Findings(
        literal=[
            Identity(
                "the gradient of the mean of two outcomes",
                sympy.diff(p * x + (1 - p) * y, p) * slope - naive * slope,
                (x - y) * slope,
                "all returns x, y that do not contain θ, all chances p and slopes ∇p",
            ),
            Exact(f"true gradient {s.relation} mean of ∇G, for the bandit of 4.4", true, s.relation, 0),
        ]
    )


@claim(
    "L4.2-log-derivative",
    score_sign=1,
    logarithm=True,
    edge_moves=False,
    corruptions=[
        Corruption("sign of the score flipped", score_sign=-1),
        Corruption("gradient of p instead of log p", logarithm=False),
        Corruption("condition dropped: the support may move with θ", edge_moves=True),
    ],
)
def log_derivative(s: Statement) -> Findings:
    """Right for probabilities that stay positive where they are; wrong when the support moves."""
    import sympy

    x, theta = sympy.Symbol("x"), sympy.Symbol("theta", positive=True)
    density = 1 / theta
    inner = sympy.log(density) if s.logarithm else density
    left = sympy.diff(sympy.integrate(x * density, (x, 0, theta)), theta).subs(theta, 1)
    right = sympy.integrate(x * s.score_sign * sympy.diff(inner, theta) * density, (x, 0, theta)).subs(
        theta, 1
    )
    return Findings(
        against=[
            Counterexample(
                "x uniform on [0, θ], f(x) = x, at θ = 1: the mean is θ/2 and the score −1/θ everywhere",
                given={"θ": 1, "f": "x"},
                claimed=Exact("gradient of the mean = mean with the score", left, "=", right),
                violates=Exact("the end of the support moves: its speed", 1, "!=", 0),
                replay=(
                    Replay(
                        "rlcalc importance --p 1/2 1/2 --q 1 0 --f 1/2 3/2", "q_does_not_cover_p", "error"
                    ),
                    Replay("rlcalc importance --p 1 0 --q 1 0 --f -1/2 -3/2", "-1/2"),
                ),
                golden="importance/audit-support-moves",
                search="families of one parameter; replayed with x in halves, θ = 2 as seen from θ = 1",
            )
        ],
        repair=condition(
            "It holds when f does not contain θ, p is differentiable and the set of x that can occur is "
            "the same for every θ (and gradient and sum may be exchanged, as with finitely many outcomes). "
            "A softmax policy over finitely many trajectories satisfies all of it.",
            _score_form(s),
        ),
    )


def _score_form(s: Statement) -> list[Evidence]:
    """The condition: term by term over the outcomes, and no flow over the edge of the support."""
    import sympy

    p, f, edge = positives("p f p_edge")
    slope, total, speed = reals("dp S v")
    inner = sympy.log(p) if s.logarithm else p
    weighted = p * f * s.score_sign * sympy.diff(inner, p) * slope
    return [
        Induction(
            "Σ f ∇p = Σ p f ∇ log p",
            base=(Identity("one outcome", f * slope, weighted),),
            step=(Identity("one outcome more", total + f * slope, total + weighted),),
            over="any finite number of outcomes with p > 0, any f, any ∇p",
        ),
        Identity(
            "no probability flows over the edge of the support (Leibniz)",
            f * edge * (speed if s.edge_moves else 0),
            0,
            "densities with a fixed support",
        ),
    ]


@claim(
    "L4.2-high-return-more-likely",
    effect=">",
    positive=True,
    corruptions=[
        Corruption("high returns make an action less likely", effect="<"),
        Corruption("condition dropped: the return may be negative", positive=False),
    ],
)
def high_return(s: Statement) -> Findings:
    """A return of −1 is the better of −1 and −2, and its action is taken less often afterwards."""
    before, after = _policy_after("-1")
    step, size = positives("alpha g")
    sign = 1 if s.effect == ">" else -1
    return Findings(
        against=[
            Counterexample(
                "two actions with returns −1 and −2; the better one was taken",
                given={"θ": "0 0", "G": -1, "α": "1/10"},
                claimed=Exact(f"π after {s.effect} π before", after, s.effect, before),
                premises=(Exact("−1 is the higher return", -1, ">", -2),),
                violates=Exact("the return is not positive", -1, "<=", 0),
                replay=(_replay("-1", ["1/(1 + exp(1/10))", "1/(1 + exp(-1/10))"]),),
                golden="reinforce_step/audit-high-return-negative",
                search="all negative returns: each is a counterexample",
            )
        ],
        repair=condition(
            "It holds when the return is positive, or lies above the baseline that is subtracted. How high "
            "it is compared with other actions does not matter for a single step: every positive return "
            "raises the action that was taken, a bad one too.",
            [
                Sign(
                    "the odds against every other action rise",
                    sign * odds_gain(step * (size if s.positive else -size)),
                    ANY_SOFTMAX,
                )
            ],
            latex=r"G > 0 \implies \pi_{\text{new}}(a) > \pi_{\text{old}}(a)",
        ),
    )
