"""Chapter 7: whether clipping holds the ratio and the policy where they are said to stay."""

from __future__ import annotations

from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
    Evidence,
    Exact,
    Findings,
    Identity,
    Replay,
    Sign,
    correction,
    reading,
)
from rlcalc.audit.lecture.ch7_clip import clip, objective, places, scenarios
from rlcalc.audit.lecture.ch7_loop import first_theta, run
from rlcalc.audit.proofs import answer, unit
from rlcalc.audit.registry import Corruption, Statement, claim


def flat(side: str, sign: str) -> Identity:
    """∂L/∂r = 0 in one case."""
    ratio, a, eps = next(rest for one, at, *rest in places() if (one, at) == (sign, side))
    term, r = objective(side, ratio, a, eps)
    words = "above 1 + ε" if side == "above" else "below 1 − ε"
    return Identity(f"A {'>' if sign == '+' else '<'} 0, r {words}: ∂L/∂r = 0", term.diff(r), 0, "0 < ε < 1")


def first_step(alpha: str, sign: int = 1) -> Any:
    """The ratio of the good (1) or the bad (−1) action after the loop's first step, by the calculator."""
    exponent = -sign * 2 * first_theta(alpha)
    return answer("ratio", new=f"1/(1+exp({exponent}))", old="1/2")


def leaves(sign: int, relation: str, bound: str, golden: str) -> Counterexample:
    """The loop's first step with α = 1/10 takes a ratio out of the interval."""
    action, shown = ("L", "-1/2") if sign > 0 else ("R", "1/2")
    found = first_step("1/10", sign)
    return Counterexample(
        f"the bandit with advantages ±5, half of each action: one step with α = 1/10, ratio of {action}",
        given={"θ": "0 0", "A": "5 −5", "ε": "1/5", "α": "1/10", "θ after the step": "1/4 −1/4"},
        claimed=Exact(f"r {relation} bound", found, relation, bound),
        premises=(Exact("θ_L after the step", first_theta("1/10"), "=", "1/4"),),
        replay=(
            Replay(
                f"rlcalc ratio --new 1/(1+exp({shown})) --old 1/2",
                f"2/(1 + exp({shown}))",
            ),
        ),
        golden=golden,
    )


@claim(
    "L7.2-clip-effect-pos",
    bounded="ratio",
    held_at=("above", "+"),
    corruptions=[
        Corruption("only the objective is bounded", bounded="objective"),
        Corruption("the incentive ends below 1 − ε", held_at=("below", "+")),
    ],
)
def effect_pos(s: Statement) -> Findings:
    return _effect(s, "+", "above", "ratio/audit-one-step-leaves-the-interval")


@claim(
    "L7.2-clip-effect-neg",
    bounded="ratio",
    held_at=("below", "-"),
    corruptions=[
        Corruption("only the objective is bounded", bounded="objective"),
        Corruption("the incentive ends above 1 + ε", held_at=("above", "-")),
    ],
)
def effect_neg(s: Statement) -> Findings:
    return _effect(s, "-", "below", "ratio/audit-bad-action-falls-through")


def _effect(s: Statement, sign: str, side: str, golden: str) -> Findings:
    """Past the bound the term no longer changes: nothing drives the ratio on, nothing drives it back."""
    ratio, a, eps = next(rest for one, at, *rest in places() if (one, at) == (sign, side))
    term, r = objective(side, ratio, a, eps)
    edge = 1 + eps if sign == "+" else 1 - eps
    value = Identity("the objective stays at its bound", term.subs(r, ratio), edge * a, "past the bound")
    if s.bounded == "objective":
        return Findings(literal=[value])
    bound, relation, word = ("6/5", "<=", "rise") if sign == "+" else ("4/5", ">=", "fall")
    return Findings(
        against=[leaves(1 if sign == "+" else -1, relation, bound, golden)],
        repair=reading(
            f"Past the bound the term is constant: it gives no reason to {word} further. The ratio may pass "
            "it in one step, or be carried on by other samples, and this term does not bring it back.",
            [flat(*s.held_at), value],
            unchanged=scenarios(),
        ),
    )


def _stays() -> list[Evidence]:
    """Five small epochs leave the interval as well, and there the gradient ends: the policy stays outside."""
    *_, before, last = run("1/50", 5)
    return [
        Exact("α = 1/50: after four epochs the good action is below 1 + ε", before.good[1], "<", "6/5"),
        Exact("after the fifth above it", last.good[0], ">", "6/5"),
        Exact("and the bad one below 1 − ε", last.bad[1], "<", "4/5"),
        Exact("where the gradient is 0, so that nothing leads back", last.slope[1], "=", last.slope[0]),
        Exact("exactly", last.slope[0], "=", 0),
    ]


@claim(
    "L7.2-clip-constrains",
    bounded="ratio",
    held=("above", "below"),
    corruptions=[
        Corruption("only the incentive is bounded", bounded="incentive"),
        Corruption("bad actions are held above 1 + ε", held=("above", "above")),
    ],
)
def constrains(s: Statement) -> Findings:
    """A flat objective is no fence."""
    ends = [flat(s.held[0], "+"), flat(s.held[1], "-")]
    if s.bounded == "incentive":
        return Findings(literal=[*ends])
    return Findings(
        against=[leaves(1, "<=", "6/5", "ratio/audit-one-step-leaves-the-interval")],
        repair=correction(
            "Clipping takes away the incentive to go on outside the interval; it neither keeps the policy "
            "inside nor brings it back. What holds it are small steps, few epochs, or a stop by KL "
            "divergence.",
            [*ends, *_stays()],
            latex=r"\frac{\partial L}{\partial r} = 0 \quad (A > 0, r > 1+\epsilon)",
        ),
    )


@claim(
    "L7.3-clipping-constraint",
    bounded="ratio",
    corruptions=[Corruption("of the clipped ratio, not of the ratio", bounded="clipped")],
)
def constraint(s: Statement) -> Findings:
    """Two of the lecture's own three scenarios lie outside."""
    inside: list[Evidence] = []
    for sign, side, r, _, eps in places():
        held = clip(r, 1 - eps, 1 + eps)
        inside.append(
            Sign(f"clip(r) − (1 − ε) ≥ 0, A {sign}, r {side}", held - (1 - eps), "0 < ε < 1", False)
        )
        inside.append(Sign(f"(1 + ε) − clip(r) ≥ 0, A {sign}, r {side}", 1 + eps - held, "0 < ε < 1", False))
    if s.bounded == "clipped":
        return Findings(literal=inside)
    return Findings(
        against=[
            Counterexample(
                "the first scenario of section 7.4 starts from r = 1.5",
                given={"r": "3/2", "A": 5, "ε": "1/5"},
                claimed=Exact("r ≤ 1 + ε", "3/2", "<=", "6/5"),
                premises=(Exact("1 + ε", answer("ppo_clip", "clipped", ratio="3/2", adv="1"), "=", "6/5"),),
                replay=(Replay("rlcalc ppo-clip --ratio 1.5 --adv 5 --eps 0.2", "6"),),
                golden="ppo_clip/lecture-7.4-s1",
            ),
            leaves(1, "<=", "6/5", "ratio/audit-one-step-leaves-the-interval"),
        ],
        repair=correction(
            "Only the clipped ratio obeys it; the ratio itself is not constrained.",
            inside,
            latex=r"1-\epsilon \le \operatorname{clip}(r_t, 1-\epsilon, 1+\epsilon) \le 1+\epsilon",
        ),
    )


@claim(
    "L7.1-limits-updates",
    alpha="1",
    inactive=True,
    corruptions=[
        Corruption("a step of 1/100, which is small anyway", alpha="1/100"),
        Corruption("the clip acts at r = 1 already", inactive=False),
    ],
)
def limits(s: Statement) -> Findings:
    """At r = 1 the clip does not act, so the first step has whatever length the step size gives it."""
    after = first_step(s.alpha)
    eps, share = unit("e"), unit("s")
    # exp(−5α) takes every value between 0 and 1; here one below (1 − ε)/(1 + ε)
    decay = (1 - eps) / (1 + eps) * share
    start = (eps, -eps) if s.inactive else (eps, eps)
    return Findings(
        against=[
            Counterexample(
                f"the bandit with advantages ±5, half of each action, ε = 1/5: one step with α = {s.alpha}",
                given={"θ": "0 0", "A": "5 −5", "ε": "1/5", "α": s.alpha},
                claimed=Exact("r ≤ 1 + ε after the step", after, "<=", "6/5"),
                replay=(Replay("rlcalc ratio --new 1/(1+exp(-5)) --old 1/2", "2/(1 + exp(-5))"),),
                golden="ratio/audit-first-step-unrestrained",
            )
        ],
        repair=reading(
            "The first step on a batch is an unclipped one: only the step size limits it. Later steps get no "
            "incentive from samples that are outside the interval.",
            [
                Sign("r = 1 lies strictly below 1 + ε", start[0], "0 < ε < 1"),
                Sign("r = 1 lies strictly above 1 − ε", -start[1], "0 < ε < 1"),
                Sign(
                    "in the bandit some step size passes 1 + ε at once: 2/(1 + exp(−5α)) − (1 + ε) > 0",
                    2 / (1 + decay) - (1 + eps),
                    "every ε in (0, 1), every α with exp(−5α) < (1 − ε)/(1 + ε)",
                ),
            ],
            unchanged=scenarios(),
        ),
    )
