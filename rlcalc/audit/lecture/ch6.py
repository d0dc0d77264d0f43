"""Chapter 6, sections 6.1 and 6.2: returns against a baseline."""

from __future__ import annotations

from typing import Any

from rlcalc.audit import cases
from rlcalc.audit.evidence import (
    Counterexample,
    Evidence,
    Exact,
    Findings,
    Identity,
    Induction,
    Sign,
    condition,
)
from rlcalc.audit.policies import Path, TwoSteps, odds_gain
from rlcalc.audit.proofs import answer, positives, reals, unit
from rlcalc.audit.registry import Corruption, Statement, claim

ANY_SOFTMAX = "a softmax policy of any number of actions in one state, any step size"
UNEVEN: dict[str, Any] = {"policy": ["3/4", "1/4"], "returns": ["1", "0"]}
EXAMPLE: dict[str, Any] = {"policy": ["1/2", "1/2"], "returns": ["15", "7"]}


@claim(
    "L6.1-grading-analogy",
    score="75",
    usual=("50", "60"),
    better=("80", "90"),
    corruptions=[
        Corruption("55 points, which the weaker student may expect", score="55"),
        Corruption("85 points, which the better student may not", score="85"),
        Corruption("the students swapped", usual=("80", "90"), better=("50", "60")),
    ],
)
def grading(s: Statement) -> Findings:
    """The sign of score − baseline at both ends of both ranges, and so between them."""
    return Findings(
        literal=[
            *(Exact(f"baseline {b}", answer("advantage", return_=s.score, value=b), ">", 0) for b in s.usual),
            *(
                Exact(f"baseline {b}", answer("advantage", return_=s.score, value=b), "<", 0)
                for b in s.better
            ),
        ]
    )


def _policy(score: Any) -> tuple[Any, Any]:
    """π(a) of the first of two equally likely actions before and after a step of REINFORCE."""
    inputs: dict[str, Any] = {"theta": ["0", "0"], "action": 0, "return_": str(score)}
    before = answer("reinforce_step", "policy_before", **inputs)
    return before[0], answer("reinforce_step", "policy", **inputs)[0]


@claim(
    "L6.2-bad-episode-penalised",
    effect="<",
    negative=True,
    corruptions=[
        Corruption("low returns make it more likely", effect=">"),
        Corruption("condition dropped: a low return may be positive", negative=False),
    ],
)
def bad_episode(s: Statement) -> Findings:
    """A low return that is positive still rewards every action of its episode."""
    before, after = _policy(1)
    step, size = positives("alpha g")
    sign = -1 if s.effect == "<" else 1
    gain = odds_gain(step * (-size if s.negative else size))
    return Findings(
        against=[
            Counterexample(
                "returns of 10 are usual; an episode of one good action ends with 1",
                claimed=Exact(f"π after {s.effect} π before", after, s.effect, before),
                premises=(Exact("the return is low", 1, "<", 10),),
                violates=Exact("the return is not negative", 1, ">=", 0),
                golden=cases.vector("reinforce_step/audit-low-score-raised"),
            )
        ],
        repair=condition(
            "It holds for negative returns. After a low positive one the action is made more likely, only by "
            "less than after a high one.",
            [Sign("the odds against every other action fall", sign * gain, ANY_SOFTMAX)],
            latex=r"G < 0 \implies \pi_{\text{new}}(a) < \pi_{\text{old}}(a)",
        ),
    )


@claim(
    "L6.2-bad-action-reinforced",
    effect=">",
    positive=True,
    corruptions=[
        Corruption("it is made less likely", effect="<"),
        Corruption("condition dropped: what follows the action may be negative", positive=False),
    ],
)
def bad_action(s: Statement) -> Findings:
    """In the form per step an action is weighted with what follows it, not with the whole episode."""
    total, last = answer("discounted_return", "returns", rewards=["10", "-1"], gamma="1")
    before, after = _policy(last)
    step, size = positives("alpha g")
    sign = 1 if s.effect == ">" else -1
    gain = odds_gain(step * (size if s.positive else -size))
    return Findings(
        against=[
            Counterexample(
                "rewards 10 and −1: the total is 9, and the second, bad action has the return −1",
                claimed=Exact(f"π after {s.effect} π before", after, s.effect, before),
                premises=(Exact("the total is high", total, "=", 9),),
                violates=Exact("the return that follows is not positive", last, "<=", 0),
                golden=cases.vector("discounted_return/audit-late-mistake"),
                also=(cases.vector("reinforce_step/audit-high-return-negative"),),
            )
        ],
        repair=condition(
            "It holds when the return that weights the action is positive: always in an episode of positive "
            "total if the whole return is the weight, otherwise if the return from this step on is positive.",
            [Sign("the odds against every other action rise", sign * gain, ANY_SOFTMAX)],
            latex=r"G_t > 0 \implies \pi_{\text{new}}(a) > \pi_{\text{old}}(a)",
        ),
    )


@claim(
    "L6.2-proportional",
    power=1,
    baseline_sign=-1,
    corruptions=[
        Corruption("the square of the difference", power=2),
        Corruption("the baseline is added", baseline_sign=1),
    ],
)
def proportional(s: Statement) -> Findings:
    """The calculator's step with return, baseline and step size left as symbols."""
    moved = answer(
        "reinforce_step", "theta", theta=["0", "0"], action=0, return_="g", alpha="1/10", baseline="b"
    )
    known = {x.name: x for part in moved for x in part.free_symbols}
    gain = (known["g"] + s.baseline_sign * known["b"]) ** s.power
    entries = zip(moved, answer("score", theta=["0", "0"], action=0), strict=True)
    return Findings(
        literal=[
            *(
                Identity(
                    "entry of the step of 4.4", part, gain * part_score / 10, "all returns and baselines"
                )
                for part, part_score in entries
            ),
        ]
    )


@claim(
    "L6.2-baseline-unbiased",
    depends_on_action=False,
    same_policy=True,
    corruptions=[
        Corruption("the baseline depends on the action", depends_on_action=True),
        Corruption("condition dropped: samples of another policy", same_policy=False),
    ],
)
def baseline_unbiased(s: Statement) -> Findings:
    """Σ π(a) b ∇ log π(a) = b ∇1 = 0, for a number or a function of the state."""
    import sympy

    world = TwoSteps()
    per_state = reals("b_0 b_1 b_2")
    per_action = reals("e_L e_R")

    def weight(path: Path, t: int) -> Any:
        state = path.steps[t].state
        extra = (
            per_action[0 if path.steps[t].chance == world.left[state] else 1] if s.depends_on_action else 0
        )
        return world.gamma**t * (world.to_go(path, t) - per_state[state] - extra)

    p, drawn = positives("pi q")
    b, own, slope, total = reals("b b_a dpi D")
    subtracted = own if s.depends_on_action else b
    chance = p if s.same_policy else drawn
    term = chance * subtracted * sympy.diff(sympy.log(p), p) * slope
    return Findings(
        literal=[
            Induction(
                "Σ π(a) b ∇ log π(a) over some actions is b ∇ Σ π(a), and over all of them b ∇1 = 0",
                base=(Identity("one action", term, b * slope),),
                step=(Identity("one action more", b * total + term, b * (total + slope)),),
                over="any number of actions, every differentiable policy, b a function of the state",
            ),
            *world.gradient_is("E[Σ γ^t (G_t − b(S_t)) ∇ log π] = ∇J", weight),
        ]
    )


@claim(
    "L6.2-baseline-reduces-variance",
    relation="<",
    between=True,
    corruptions=[
        Corruption("the variance rises", relation=">"),
        Corruption("condition dropped: any positive baseline", between=False),
    ],
)
def reduces_variance(s: Statement) -> Findings:
    """A parabola in b, least at b*; even the value can lie beyond 2b*, where it does harm."""
    with_value = answer("baseline_variance", "variance", baseline="value", **UNEVEN)
    without = answer("baseline_variance", "variance", baseline="0", **UNEVEN)
    value = answer("baseline_variance", "subtracted", baseline="value", **UNEVEN)
    best = answer("baseline_variance", "best", baseline="value", **UNEVEN)
    return Findings(
        against=[
            Counterexample(
                "two actions with chances 3/4 and 1/4 and returns 1 and 0; the baseline is the value, 3/4",
                claimed=Exact(
                    f"variance with the baseline {s.relation} without it", with_value, s.relation, without
                ),
                premises=(Exact("the baseline is the expected return", value, "=", "3/4"),),
                violates=Exact("b ≥ 2b*", value, ">=", 2 * best),
                golden=cases.vector("baseline_variance/audit-value-raises-variance"),
            )
        ],
        repair=condition(
            "It falls exactly for a baseline b between 0 and 2b*, where b* is the mean of G weighted with "
            "the squared length of the score, and most for b = b*. A baseline outside, which the value can "
            "be, raises it; and inside the gain may be as small as one likes.",
            _variance_parabola(s),
            latex=r"0 < b < 2 \mathbb{E}[G |\nabla \log \pi|^2] / \mathbb{E}[|\nabla \log \pi|^2]",
        ),
    )


def _variance_parabola(s: Statement) -> list[Evidence]:
    p, length = positives("pi s2")
    b, gain, weighted, lengths = reals("b G M C")
    best, squares = positives("b_best c")
    share = unit("u") if s.between else 1 + positives("u")
    used = 2 * best * share
    saved = p * length * (gain**2 - (gain - b) ** 2)
    sign = 1 if s.relation == "<" else -1
    return [
        Induction(
            "E G²|s|² − E (G−b)²|s|² = b (2 E G|s|² − b E |s|²); the means are equal, so the variances "
            "differ by the same",
            base=(Identity("one action", saved, b * (2 * p * length * gain - b * p * length)),),
            step=(
                Identity(
                    "one action more",
                    b * (2 * weighted - b * lengths) + saved,
                    b * (2 * (weighted + p * length * gain) - b * (lengths + p * length)),
                ),
            ),
            over="any number of actions (or of random returns), every baseline that is a number",
        ),
        Sign(
            "variance without − variance with the baseline > 0",
            sign * squares * used * (2 * best - used),
            "0 < b < 2b*, E |s|² = c > 0 (and mirrored for b* < 0)",
        ),
    ]


@claim(
    "L6.2-64-variance",
    baseline="10",
    factor=121,
    corruptions=[
        Corruption("a baseline of 30", baseline="30"),
        Corruption("a factor of 11", factor=11),
    ],
)
def example_variance(s: Statement) -> Findings:
    """121/2 without the baseline, 1/2 with it; with any other chances it falls too."""
    without = answer("baseline_variance", "variance", baseline="0", **EXAMPLE)
    used = answer("baseline_variance", "variance", baseline=s.baseline, **EXAMPLE)
    chance, b = unit("p"), int(s.baseline)
    saved = (1 - chance) * (15**2 - (15 - b) ** 2) + chance * (7**2 - (7 - b) ** 2)
    return Findings(
        literal=[
            Exact("variance without a baseline, even chances", without, "=", "121/2"),
            Exact("variance without = factor times variance with", without, "=", s.factor * used),
            Sign(
                "variance without − variance with the baseline > 0",
                2 * chance * (1 - chance) * saved,
                "every chance of the first action strictly between 0 and 1",
            ),
        ]
    )
