"""Chapter 6, section 6.2, second half: value, advantage, actor and critic."""

from __future__ import annotations

from typing import Any

from rlcalc.audit import cases
from rlcalc.audit.evidence import (
    Counterexample,
    Evidence,
    Exact,
    Fact,
    Findings,
    Identity,
    Induction,
    Sign,
    condition,
    reading,
)
from rlcalc.audit.policies import odds_gain
from rlcalc.audit.proofs import answer, positives, reals
from rlcalc.audit.registry import Corruption, Statement, claim

UNEVEN: dict[str, Any] = {"policy": ["3/4", "1/4"], "returns": ["1", "0"]}


def example_advantages() -> list[Evidence]:
    """The printed numbers of section 6.4, for readings that leave them alone."""
    pairs = (("15", 5), ("7", -3))
    return [
        Exact(f"advantage of return {g}", answer("advantage", return_=g, value="10"), "=", a)
        for g, a in pairs
    ]


@claim(
    "L6.2-V-natural-baseline",
    mean_of="returns",
    best=False,
    corruptions=[
        Corruption("the highest return instead of the mean", mean_of="best action"),
        Corruption("it is said to have the least variance", best=True),
    ],
)
def natural_baseline(s: Statement) -> Findings:
    """It centres what is left and is nearest to the returns; least variance it has not, nor is that said."""
    p, x, c, mean, total = reals("p x c M P")
    value = mean if s.mean_of == "returns" else x
    over = "any number of returns"
    least = answer("baseline_variance", "best", baseline="value", **UNEVEN)
    used = answer("baseline_variance", "subtracted", baseline="value", **UNEVEN)
    return Findings(
        literal=[
            Induction(
                "Σ p (x − c) = Σ p x − c Σ p",
                base=(Identity("one return", p * (x - c), p * x - c * p),),
                step=(
                    Identity(
                        "one return more",
                        (mean - c * total) + p * (x - c),
                        (mean + p * x) - c * (total + p),
                    ),
                ),
                over=over,
            ),
            Identity("so E[G − V] = 0, as Σ p = 1", mean - value * 1, 0, over),
            Identity("and the slope of E(G − c)² is 0 at c = V", -2 * (mean - value * 1), 0, over),
            Identity(
                "it does not depend on the action: E[V ∇ log π] = 0",
                value * (p * (1 - p) + (1 - p) * (0 - p)),
                0,
                "two actions; for any number see L6.2-baseline-unbiased",
            ),
            Exact(
                "value and baseline of least variance, for chances 3/4, 1/4 and returns 1, 0",
                used,
                "=" if s.best else "!=",
                least,
            ),
        ]
    )


@claim(
    "L6.2-advantage-def",
    sign=1,
    subtract="V",
    corruptions=[
        Corruption("V − G", sign=-1),
        Corruption("less the value of the action", subtract="Q"),
    ],
)
def advantage_definition(s: Statement) -> Findings:
    """G − V is one draw of what has the mean Q − V."""
    w, x, y, value = reals("w G_1 G_2 V")
    action_value = w * x + (1 - w) * y
    taken = value if s.subtract == "V" else action_value
    one, other = s.sign * (x - taken), s.sign * (y - taken)
    over = "an action followed by the return G_1 with chance w, otherwise by G_2"
    return Findings(
        literal=[Identity("G − V is the advantage of the action", one, action_value - value, over)],
        repair=reading(
            "G_t − V(S_t) is an estimate of the advantage: its mean for a given state and action is the "
            "advantage A(s,a) = Q(s,a) − V(s). Where nothing is random after the action both are the same.",
            [
                Identity("E[G − V | s, a] = Q − V", w * one + (1 - w) * other, action_value - value, over),
                Identity(
                    "with a single return they are equal", one.subs(y, x), x - value, "w = any, G_1 = G_2"
                ),
            ],
            unchanged=example_advantages(),
            latex=r"\mathbb{E}[G_t - V(S_t) | S_t = s, A_t = a] = Q(s, a) - V(s)",
        ),
    )


@claim(
    "L6.2-sign-direction",
    sign=1,
    alone=True,
    corruptions=[
        Corruption("a positive advantage lowers", sign=-1),
        Corruption("condition dropped: other samples take part in the step", alone=False),
    ],
)
def sign_direction(s: Statement) -> Findings:
    """Its own term does that; the sum over steps of 6.3 adds the terms of other actions."""
    gradient = answer("baseline_variance", policy=["1/2", "1/2"], returns=["11", "15"], baseline="10")
    claimed = gradient[0] if s.sign == 1 else -gradient[0]
    step, size = positives("alpha a")
    # the other action with five times the advantage, as in the counterexample
    others = 0 if s.alone else odds_gain(5 * step * size)
    over = "a softmax policy of any number of actions, any step size, any size of the advantage"
    squared, rest = positives("g rest")
    return Findings(
        against=[
            Counterexample(
                "two equally likely actions were taken once each, with advantages 1 and 5 (a critic at 10)",
                claimed=Exact("the step raises the preference of the first action", claimed, ">", 0),
                premises=(
                    Exact("its advantage is positive", answer("advantage", return_="11", value="10"), ">", 0),
                ),
                violates=Exact("samples in the step", 2, ">", 1),
                golden=cases.vector("baseline_variance/audit-positive-advantage-falls"),
            )
        ],
        repair=condition(
            "It holds for what a sample contributes by itself: for softmax preferences at every step size, "
            "for other parameters at small ones. In a step of several samples an action of positive "
            "advantage may become less likely, when others in the same state have larger ones.",
            [
                Sign("A > 0: the odds rise", s.sign * odds_gain(step * size) - others, over),
                Sign("A < 0: the odds fall", -s.sign * odds_gain(-step * size) - others, over),
                Identity("A = 0: they stay", odds_gain(0) - others, 0, over),
                Sign(
                    "slope of log π(a) along the step, A |∇ log π|²",
                    s.sign * size * (squared**2 + rest),
                    "every differentiable policy whose score is not 0",
                ),
            ],
        ),
    )


@claim(
    "L6.2-actor-critic",
    chooses="theta",
    predicts="phi",
    power=2,
    corruptions=[
        Corruption("the critic chooses", chooses="phi"),
        Corruption("the actor predicts", predicts="theta"),
        Corruption("the critic's error is not squared but to the fourth power", power=4),
    ],
)
def actor_critic(s: Statement) -> Findings:
    """Which parameters each loss moves, what the critic learns, and that the actor needs it."""
    import sympy

    from rlcalc.specs import load_formula

    theta, phi, w, x, y, advantage = reals("theta phi w G_1 G_2 A")
    known = {"theta": theta, "phi": phi}
    log_policy = -sympy.log(1 + sympy.exp(-known[s.chooses]))
    predicted = known[s.predicts]
    error = w * (predicted - x) ** s.power + (1 - w) * (predicted - y) ** s.power
    mean = w * x + (1 - w) * y
    inputs = {
        name: {each.name for each in load_formula(name).parameters} for name in ("actor_loss", "advantage")
    }
    return Findings(
        literal=[
            Identity(
                "the critic's parameters do not move the policy", sympy.diff(log_policy * advantage, phi), 0
            ),
            Identity("the actor's parameters do not move the predictions", sympy.diff(error, theta), 0),
            Identity(
                "the critic is at rest at the expected return",
                sympy.diff(error, predicted).subs(predicted, mean),
                0,
                "a return G_1 with chance w, otherwise G_2",
            ),
            Fact("the actor's loss needs advantages", "advantages", "in", inputs["actor_loss"]),
            Fact("an advantage needs the critic's value", "value", "in", inputs["advantage"]),
        ]
    )
