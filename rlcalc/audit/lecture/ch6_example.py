"""Chapter 6, sections 6.4 and 6.5: the worked example, and control variates."""

from __future__ import annotations

from typing import Any

from rlcalc.audit import cases
from rlcalc.audit.evidence import (
    Counterexample,
    Exact,
    Findings,
    Identity,
    Sign,
    condition,
    reading,
)
from rlcalc.audit.policies import odds_gain
from rlcalc.audit.proofs import answer, positives, reals
from rlcalc.audit.registry import Corruption, Statement, claim

EXAMPLE: dict[str, Any] = {"policy": ["1/2", "1/2"], "returns": ["15", "7"]}


@claim(
    "L6.4-adv",
    value="10",
    printed=(5, -3),
    corruptions=[
        Corruption("a value of 11", value="11"),
        Corruption("the sign of the second", printed=(5, 3)),
    ],
)
def advantages(s: Statement) -> Findings:
    pairs = zip(("15", "7"), s.printed, strict=True)
    return Findings(
        literal=[
            Exact(f"return {g}", answer("advantage", return_=g, value=s.value), "=", a) for g, a in pairs
        ]
    )


@claim(
    "L6.4-directions",
    first=1,
    second=-1,
    corruptions=[
        Corruption("the first action becomes less likely", first=-1),
        Corruption("the second becomes more likely", second=1),
    ],
)
def directions(s: Statement) -> Findings:
    """Each step by itself, and both in one step: the advantages pull the same way."""
    step = positives("alpha")
    over = "a softmax policy of any number of actions, any step size"
    # both in one step: the first moves by 5(1 − π_1) + 3π_1, the second by −5π_2 − 3(1 − π_2), a third
    # by −5π_3 + 3π_3; the chances are these symbols over their sum
    one, two, third, rest = positives("e_1 e_2 e_3 rest")
    total = one + two + third + rest
    unmoved = -5 * third + 3 * third
    joint = step * ((5 * (total - one) + 3 * one) - unmoved) / total
    joint_second = step * ((-5 * two - 3 * (total - two)) - unmoved) / total
    start: dict[str, Any] = {"theta": ["0", "0"], "alpha": "1/10", "baseline": "10"}
    up = answer("reinforce_step", "policy", action=0, return_="15", **start)[0]
    down = answer("reinforce_step", "policy", action=1, return_="7", **start)[1]
    return Findings(
        literal=[
            Sign("advantage 5: the odds rise", s.first * odds_gain(5 * step), over),
            Sign("advantage −3: the odds fall", s.second * odds_gain(-3 * step), over),
            Sign(
                "both in one step: the odds of the first rise", s.first * joint, "two actions and all others"
            ),
            Sign("and those of the second fall", s.second * joint_second, "two actions and all others"),
            Exact("even chances, α = 1/10: first", up, ">" if s.first > 0 else "<", "1/2"),
            Exact("second", down, "<" if s.second < 0 else ">", "1/2"),
        ]
    )


@claim(
    "L6.4-critic-average",
    start="10",
    printed="11",
    alpha="1/10",
    corruptions=[
        Corruption("printed as 10.5", printed="10.5"),
        Corruption("a step size that passes the mean and ends farther away", alpha="3/2"),
        Corruption("a critic that is above the mean, at 12, and is said to rise", start="12"),
    ],
)
def critic_average(s: Statement) -> Findings:
    """The mean is 11 exactly, and a gradient step of moderate size goes towards it."""
    given: dict[str, Any] = {"values": s.start, "returns": ["15", "7"], "alpha": s.alpha}
    best = answer("critic_loss", "minimiser", **given)
    moved = answer("critic_loss", "updated", **given)
    return Findings(
        literal=[
            Exact("mean of the returns", best, "=", s.printed),
            Exact(f"a step of size {s.alpha} raises the prediction", moved, ">", s.start),
            Exact("and does not pass the mean", moved, "<=", best),
        ]
    )


@claim(
    "L6.5-control-variate",
    relation="<",
    strong=True,
    cross=-2,
    corruptions=[
        Corruption("the variance becomes larger", relation=">"),
        Corruption("condition dropped: any correlation", strong=False),
        Corruption("the covariance enters with the other sign", cross=2),
    ],
)
def control_variate(s: Statement) -> Findings:
    """Var(X − b) = Var X − 2 Cov + Var b: correlation is not enough."""
    x2, b2, xb, x, b = reals("X2 B2 XB X B")
    spread, gain, own = positives("v d u")
    joint = reals("c")
    covariance = spread / 2 + (gain if s.strong else -gain)
    sign = 1 if s.relation == "<" else -1
    return Findings(
        against=[
            _correlated(s, "-1", "control_variate/audit-negative-correlation"),
            _correlated(s, "1", "control_variate/lecture-6.5-fails"),
        ],
        repair=condition(
            "It holds exactly when the covariance is above half the variance of b. A factor does it for "
            "every correlation: Var(X − kb) is least at k = Cov(X, b)/Var b, where it is (1 − ρ²) Var X.",
            [
                Identity(
                    "Var(X − b) = Var X − 2 Cov(X, b) + Var b",
                    (x2 - 2 * xb + b2) - (x - b) ** 2,
                    (x2 - x**2) + s.cross * (xb - x * b) + (b2 - b**2),
                    "all X and b with second moments",
                ),
                Sign(
                    "Var X − Var(X − b) > 0",
                    sign * (2 * covariance - spread),
                    "Cov(X, b) = Var b/2 + d, d > 0",
                ),
                Identity(
                    "Var X − 2k Cov + k² Var b at k = Cov/Var b",
                    own - 2 * (joint / spread) * joint + (joint / spread) ** 2 * spread,
                    own * (1 - joint**2 / (own * spread)),
                    "all X and b that vary",
                ),
            ],
            latex=r"2 \operatorname{Cov}(X, b) > \operatorname{Var}(b)",
        ),
    )


def _correlated(s: Statement, correlation: str, golden: str) -> Counterexample:
    """X is 0 or 1, equally likely, and b takes these values with it."""
    case = cases.vector(golden)
    before, after, rho = (case.answer(name) for name in ("variance_x", "variance", "correlation"))
    b = case.given["b"]
    # 4 Cov(X, b) is the difference of the two values of b, and 4 Var b its square
    slope = int(b[1]) - int(b[0])
    return Counterexample(
        f"X is 0 or 1, equally likely, and b is {b[0]} or {b[1]} with it",
        claimed=Exact(f"Var(X − b) {s.relation} Var X", after, s.relation, before),
        premises=(Exact("b correlates with X", rho, "=", correlation),),
        violates=Exact("twice the covariance is not above Var b (both times 4)", 2 * slope, "<=", slope**2),
        golden=case,
    )


@claim(
    "L6.5-analogy-to-baseline",
    multiplied=False,
    own_mean=0,
    corruptions=[
        Corruption("the subtracted quantity is b times the score", multiplied=True),
        Corruption("its mean is said to be 1", own_mean=1),
    ],
)
def analogy(s: Statement) -> Findings:
    """b alone is a constant and correlates with nothing; what is subtracted from G·score is b·score."""
    plain: dict[str, Any] = {"x": ["15", "7"], "b": ["10", "10"], "k": "1"}
    without, used = (answer("baseline_variance", "variance", baseline=b, **EXAMPLE) for b in ("0", "10"))
    left, right = without, used
    if not s.multiplied:
        left, right = (answer("control_variate", name, **plain) for name in ("variance_x", "variance"))
    p, x, y, b = reals("p G_1 G_2 b")
    chances, returns, scores = (p, 1 - p), (x, y), (1 - p, -p)

    def mean(values: Any) -> Any:
        return sum(chance * value for chance, value in zip(chances, values, strict=True))

    second = mean([((g - b) * c) ** 2 for g, c in zip(returns, scores, strict=True)])
    first = mean([(g * c) ** 2 for g, c in zip(returns, scores, strict=True)])
    covariance = mean([g * b * c**2 for g, c in zip(returns, scores, strict=True)])
    own = mean([(b * c) ** 2 for c in scores])
    over = "two actions with any chances, returns and baseline; one component of the gradient"
    general = Identity(
        "what b·score does: Var falls by 2 Cov − Var, its mean being 0",
        first - second,
        2 * covariance - own,
        over,
    )
    numbers = Exact("returns 15 and 7, b = 10: variance with b < variance without", right, "<", left)
    if s.multiplied:
        return Findings(literal=[numbers, general])
    return Findings(
        literal=[numbers],
        repair=reading(
            "The control variate is b·∇ log π, which is subtracted from G·∇ log π and whose mean is known "
            "to be 0; the baseline itself is a number in a given state and correlates with nothing. The "
            "condition of control variates remains: twice the covariance must be above the variance.",
            [Identity("E[b ∇ log π]", mean([b * c for c in scores]), s.own_mean, over), general],
            unchanged=[
                Exact("6.4 without a baseline", without, "=", "121/2"),
                Exact("6.4 with the baseline 10", used, "=", "1/2"),
            ],
            latex=r"\operatorname{Var}(G \nabla \log \pi - b \nabla \log \pi)",
        ),
    )
