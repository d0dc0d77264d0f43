"""Chapter 1: the worked example, and TD(0) as the special case n = 1."""

from __future__ import annotations

from typing import Any

from rlcalc.audit.evidence import Counterexample, Exact, Fact, Findings, Identity, Replay, correction
from rlcalc.audit.lecture.ch1 import ENDED, EPISODE, typed
from rlcalc.audit.proofs import answer, index, reals
from rlcalc.audit.registry import Corruption, Statement, claim
from rlcalc.audit.returns import NStep


@claim(
    "L1.4-G1",
    printed="9.2",
    n=1,
    corruptions=[Corruption("γ applied twice", printed="8.48"), Corruption("n = 2", n=2)],
)
def one_step(s: Statement) -> Findings:
    return Findings(literal=[Exact("target", answer("n_step_return", **EPISODE, n=s.n), "=", s.printed)])


@claim(
    "L1.4-G2-arith",
    printed="12.8",
    parts=("2", "2.7", "8.1"),
    corruptions=[
        Corruption("bootstrap discounted once", printed="13.7"),
        Corruption("a summand without its discount", parts=("2", "3", "8.1")),
    ],
)
def two_steps(s: Statement) -> Findings:
    """The sum that is printed, summand by summand, and the definition's value."""
    from rlcalc.audit.zero import as_expression

    total = sum((as_expression(part) for part in s.parts), as_expression(0))
    return Findings(
        literal=[
            Exact("the three summands add up to it", total, "=", s.printed),
            Exact("so does the definition", answer("n_step_return", **EPISODE, n=2), "=", s.printed),
        ]
    )


@claim(
    "L1.4-terminal-bootstrap",
    printed="12.8",
    corruptions=[Corruption("the last state is worth 0", printed="4.7")],
)
def terminal_bootstrap(s: Statement) -> Findings:
    """Nothing follows a terminal state, so its value is 0."""
    right = answer("n_step_return", **ENDED, n=2, terminal=1)
    full = answer("discounted_return", rewards=EPISODE["rewards"], gamma=EPISODE["gamma"])
    return _terminal(
        s,
        right,
        "2-step target of the episode that ends in S_3",
        "S_3 is terminal and so worth 0: the 2-step target is the full return 2 + 0.9·3 = 4.7. (12.8 is "
        "right for "
        "an episode that was cut off in S_3.)",
        [Exact("2-step target with V(S_3) = 0", right, "=", "4.7"), Exact("full return", full, "=", "4.7")],
        (Replay(typed(0, 2) + " --terminal", "47/10"), Replay(typed(10, 2), "64/5")),
        "n_step_return/lecture-1.4-terminal",
    )


@claim(
    "L1.4-upd2-terminal",
    printed="5.78",
    corruptions=[Corruption("the last state is worth 0", printed="4.97")],
)
def update_terminal(s: Statement) -> Findings:
    """The wrong target makes the value rise where it should fall."""
    right = answer("n_step_return", "updated", **ENDED, n=2, terminal=1, alpha="0.1")
    return _terminal(
        s,
        right,
        "value of S_1 after the 2-step update",
        "With S_3 terminal the target is 4.7 and the update gives 5 + 0.1·(4.7 − 5) = 4.97: the value falls.",
        [Exact("5 + 0.1·(4.7 − 5)", right, "=", "4.97")],
        (Replay(typed(0, 2) + " --terminal --alpha 0.1", "497/100", "updated"),),
        "n_step_return/lecture-1.4-terminal",
    )


def _terminal(
    s: Statement,
    right: Any,
    what: str,
    instead: str,
    proof: list[Any],
    replay: tuple[Replay, ...],
    golden: str,
) -> Findings:
    claimed = Exact(what, right, "=", s.printed)
    if claimed.status == "holds":
        return Findings(literal=[claimed])
    return Findings(
        against=[
            Counterexample(
                "the episode itself, with the value that a terminal state has",
                given={"rewards": "2 3", "V": "5 8 0", "γ": "9/10"},
                claimed=claimed,
                replay=replay,
                golden=golden,
            )
        ],
        repair=correction(instead, proof),
    )


@claim(
    "L1.4-upd1",
    printed="5.42",
    alpha="0.1",
    corruptions=[Corruption("step away from the target", printed="4.58"), Corruption("α = 1/2", alpha="1/2")],
)
def update_one(s: Statement) -> Findings:
    updated = answer("n_step_return", "updated", **EPISODE, n=1, alpha=s.alpha)
    return Findings(literal=[Exact("value after the 1-step update", updated, "=", s.printed)])


@claim(
    "L1.4-upd2-arith",
    printed="5.78",
    target="12.8",
    corruptions=[Corruption("another target", target="4.7"), Corruption("α forgotten", printed="12.8")],
)
def update_two(s: Statement) -> Findings:
    updated = answer("td_update", value="5", target=s.target, alpha="0.1")
    return Findings(literal=[Exact("value after the 2-step update", updated, "=", s.printed)])


@claim(
    "L1.4-indexing",
    first=2,
    scope="instance",  # a statement about one index
    corruptions=[Corruption("R_1 is the first reward from S_1", first=1)],
)
def indexing(s: Statement) -> Findings:
    """The reward on leaving S_t is R_{t+1} in the definition; the example keeps to it."""
    t = 1
    rewards = [str(call) for call in sorted(NStep(reals("gamma")).one(t).atoms(_undefined()), key=str)]
    return Findings(
        literal=[
            Fact("the 1-step target from S_1 contains the reward", f"R({s.first})", "in", rewards),
            Fact("and the value of", f"V({s.first})", "in", rewards),
        ]
    )


def _undefined() -> Any:
    from sympy.core.function import AppliedUndef

    return AppliedUndef


@claim(
    "L1.5-td0-update",
    steps=1,
    sign=1,
    corruptions=[
        Corruption("n = 0: no reward", steps=0),
        Corruption("sign of the value flipped", sign=-1),
    ],
)
def td0(s: Statement) -> Findings:
    """Both updates written out; they are the same expression."""
    alpha, gamma, t = reals("alpha"), reals("gamma"), index("t")
    g = NStep(gamma)
    value = g.value(t)
    target = g.one(t) if s.steps == 1 else g.none(t)
    td = value + alpha * (g.reward(t + 1) + gamma * g.value(t + 1) - s.sign * value)
    proof = Identity("both updates", value + alpha * (target - value), td, "every α, γ, R and V")
    return Findings(literal=[proof])


@claim(
    "L1.5-td-error",
    minus=1,
    next_weight=1,
    corruptions=[
        Corruption("sign flipped", minus=-1),
        Corruption("next value not discounted", next_weight=0),
    ],
)
def td_error(s: Statement) -> Findings:
    """The error is the target minus the value, which is what the calculator gives for symbols."""
    from rlcalc.exact import symbol

    reward, value, after, g = (symbol(name) for name in "rvwg")
    calculated = answer("td_error", reward="r", value="v", next_value="w", gamma="g")
    target = reward + g**s.next_weight * after
    example = answer("td_error", reward="2", value="5", next_value="8", gamma="9/10")
    return Findings(
        literal=[
            Identity("TD error = target − value", s.minus * (target - value), calculated, "all numbers"),
            Exact("in 1.4: target 9.2 minus value 5", example, "=", "4.2"),
        ]
    )
