"""Chapter 1: n-step returns, their definition and their ends."""

from __future__ import annotations

from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
    Exact,
    Fact,
    Findings,
    Identity,
    Induction,
    Replay,
    condition,
    correction,
    reading,
)
from rlcalc.audit.proofs import answer, equal_by_increments, index, powers_vanish, reals, sum_by_induction
from rlcalc.audit.registry import Corruption, Statement, claim
from rlcalc.audit.returns import NStep

# the episode of section 1.4
EPISODE: dict[str, Any] = {"rewards": ["2", "3"], "values": ["5", "8", "10"], "gamma": "9/10"}
ENDED: dict[str, Any] = {**EPISODE, "values": ["5", "8", "0"]}
_TYPED = "rlcalc n-step --rewards 2 3 --values 5 8 {last} --gamma 0.9 --n {n}"


def typed(last: int, n: int | str) -> str:
    return _TYPED.format(last=last, n=n)


def stays_after_the_end(gamma: Any, terminal: Any) -> Induction:
    """From n = N = T − t on the target is the full return, if what follows the end is worth ``terminal``."""
    n, gained = index(), reals("G")
    return Induction(
        "from the end on the n-step target is the full return and stays it",
        base=(Identity("n = N: nothing is added to the N rewards", gained + gamma**n * terminal, gained),),
        step=(
            Identity(
                "n → n + 1: a reward 0 and a state worth 0 add nothing",
                gamma ** (n + 1) * terminal - gamma**n * terminal,
                0,
            ),
        ),
        over="n ≥ N = T − t ≥ 1, every γ, all rewards of the episode",
    )


@claim(
    "L1.1-td0-mc-spectrum",
    steps=1,
    terminal=0,
    corruptions=[
        Corruption("n = 0 instead of n = 1 gives TD(0)", steps=0),
        Corruption("condition dropped: the last state may be worth anything", terminal="z"),
    ],
)
def spectrum(s: Statement) -> Findings:
    """One end is an identity; the other needs a last state that is worth 0."""
    gamma, t = reals("gamma"), index("t")
    target = NStep(gamma)
    start = target.one(t) if s.steps == 1 else target.none(t)
    full = answer("n_step_return", **ENDED, n=2)
    bootstrapped = answer("n_step_return", **EPISODE, n=2)
    return Findings(
        against=[
            Counterexample(
                "the lecture's own episode of two steps bootstraps from its last state",
                given={"rewards": "2 3", "V": "5 8 10", "γ": "9/10", "n": "T − t = 2"},
                claimed=Exact("2-step target = full return", bootstrapped, "=", full),
                violates=Exact("V of the last state is not 0", 10, "!=", 0),
                replay=(Replay(typed(10, 2), "64/5"), Replay(typed(0, 2), "47/10")),
                golden="n_step_return/lecture-1.4-n2",
            )
        ],
        repair=condition(
            "n = 1 is TD(0) always; n ≥ T − t is the full return when the state in which the episode ends is "
            "worth 0 and no reward follows it.",
            [
                Identity(
                    "n = 1 is the TD(0) target",
                    start,
                    target.reward(t + 1) + gamma * target.value(t + 1),
                    "every γ, R and V",
                ),
                stays_after_the_end(gamma, reals(s.terminal) if s.terminal else 0),
            ],
        ),
    )


@claim(
    "L1.2-infinity-is-mc",
    terminal=0,
    corruptions=[Corruption("condition dropped: the last state may be worth anything", terminal="z")],
)
def infinity(s: Statement) -> Findings:
    """Beyond the end all n agree, so n = ∞ is what they agree on."""
    everything = answer("n_step_return", **EPISODE, n="inf")
    full = answer("discounted_return", rewards=EPISODE["rewards"], gamma=EPISODE["gamma"])
    gamma = reals("gamma")
    return Findings(
        against=[
            Counterexample(
                "the lecture's own episode, with its values",
                given={"rewards": "2 3", "V": "5 8 10", "γ": "9/10", "n": "∞"},
                claimed=Exact("target for n = ∞ equals the Monte Carlo return", everything, "=", full),
                violates=Exact("V of the last state is not 0", 10, "!=", 0),
                replay=(
                    Replay(typed(10, "inf"), "64/5"),
                    Replay("rlcalc discounted-return --rewards 2 3 --gamma 0.9", "47/10"),
                ),
                golden="n_step_return/audit-infinite-n",
            )
        ],
        repair=condition(
            "It holds in an episode that ends in a state worth 0 (and, without an end, in the limit for "
            "γ < 1 "
            "and bounded V, since then γ^n V → 0).",
            [
                stays_after_the_end(gamma, reals(s.terminal) if s.terminal else 0),
                powers_vanish("γ"),
            ],
        ),
    )


@claim(
    "L1.3-nstep-def",
    rewards_late=0,
    bootstrap_late=0,
    corruptions=[
        Corruption("rewards discounted once more", rewards_late=1),
        Corruption("bootstrap discounted once less", bootstrap_late=-1),
        Corruption("everything discounted once more", rewards_late=1, bootstrap_late=1),
    ],
)
def definition(s: Statement) -> Findings:
    """The sum is what n one-step look-aheads give, from G^(0) = V on."""
    gamma, t = reals("gamma"), index("t")
    g = NStep(gamma, s.rewards_late, s.bootstrap_late)
    n = index()
    proof = equal_by_increments(
        "the sum is the unrolled recursion G_t^(n+1) = R_{t+1} + γ G_{t+1}^(n), G^(0) = V",
        (g.one(t), g.reward(t + 1) + gamma * g.none(t + 1)),
        (g.more(t, n), gamma * g.more(t + 1, n - 1)),
        over="n ≥ 0, every γ, all sequences R and V",
        start=0,
    )
    start = Identity("n = 0 is the value alone", g.none(t), g.value(t), "every γ")
    return Findings(literal=[proof, start])


@claim(
    "L1.3-gamma-domain",
    low="0",
    high="1",
    ends=True,
    corruptions=[
        Corruption("γ up to 2", high="2"),
        Corruption("γ from −1", low="-1"),
        Corruption("condition dropped: no end needed at γ = 1", ends=False),
    ],
)
def gamma_domain(s: Statement) -> Findings:
    """At γ = 1 the endless return of a constant reward grows with every step.

    The calculator's own domain is compared as well: it refuses what lies outside.
    """
    from rlcalc.data import data_folder, read_toml

    gamma = reals("gamma")
    spec = read_toml(data_folder("specs") / "formulas" / "n_step_return.toml")
    declared = next(entry["domain"] for entry in spec["parameter"] if entry["name"] == "gamma")
    bounds = Fact("the domain is the one that the calculator accepts", f"[{s.low}, {s.high}]", "=", declared)
    return Findings(
        against=[
            Counterexample(
                "a reward of 1 forever: one more step adds 1 to the return, however many there were",
                given={"γ": 1, "R": "1 1 1 …"},
                claimed=Exact(
                    "V = 1 + γV has a solution, since the coefficient 1 − γ of V is not 0", 0, "!=", 0
                ),
                violates=Exact("the rewards never end: every later one is", 1, "!=", 0),
                replay=(
                    Replay("rlcalc discounted-return --rewards 1 --gamma 1", "1"),
                    Replay("rlcalc discounted-return --rewards 1 1 --gamma 1", "2"),
                ),
                golden="policy_eval/audit-endless-undiscounted",
            )
        ],
        repair=condition(
            "γ = 1 is for a finite n, or for episodes that end; an endless return needs γ < 1.",
            [
                bounds,
                sum_by_induction(
                    "without an end: a reward of 1 forever adds up to (1 − γ^n)/(1 − γ) after n steps",
                    lambda k: gamma ** (k - 1),
                    lambda k: (1 - gamma**k) / (1 - gamma),
                    over="n ≥ 1, γ ≠ 1",
                ),
                powers_vanish("γ"),
                # the reward of a step behind the end
                Identity(
                    "with an end: at γ = 1 the steps behind it add nothing", 0 if s.ends else 1, 0, "n ≥ N"
                ),
            ],
        ),
    )


@claim(
    "L1.3-missing-terminal-rule",
    needed=False,
    corruptions=[Corruption("a rule is needed", needed=True)],
)
def terminal_rule(s: Statement) -> Findings:
    """Two ways to go on behind the end, both true to the formula, give two numbers."""
    stops = answer("n_step_return", rewards=["0"], values=["0", "0"], gamma="1", n=2)
    carries = answer("n_step_return", rewards=["0"], values=["0", "1"], gamma="1", n=2)
    rule = [stays_after_the_end(reals("gamma"), 0)]
    if s.needed:
        return Findings(
            literal=[*rule, Exact("two continuations, two numbers", stops, "!=", carries)],
        )
    return Findings(
        against=[
            Counterexample(
                "n = 2 in an episode of one step: R_2 and V(S_2) do not exist, and what takes their "
                "place decides",
                given={"rewards": "0", "V": "0 1", "γ": 1, "n": 2},
                claimed=Exact("last value kept = state after the end worth 0", carries, "=", stops),
                replay=(
                    Replay("rlcalc n-step --rewards 0 --values 0 1 --gamma 1 --n 2", "1"),
                    Replay("rlcalc n-step --rewards 0 --values 0 0 --gamma 1 --n 2 --terminal", "0"),
                ),
                golden="n_step_return/audit-past-the-end",
                search="episodes: one step, one value of 1",
            )
        ],
        repair=correction(
            "A rule is needed: for t + n ≥ T the target is the full return G_t (rewards after the end "
            "are 0 and "
            "so is the value of the state in which it ends).",
            list(rule),
            latex=r"G_t^{(n)} = G_t \quad (t + n \ge T)",
        ),
    )


@claim(
    "L1.3-update",
    sign=1,
    delay=0,
    corruptions=[
        Corruption("sign of the step flipped", sign=-1),
        Corruption("made at time t + n − 1", delay=-1),
    ],
)
def update(s: Statement) -> Findings:
    """A step of size α towards the target, at the first moment at which the target is known."""
    from sympy.core.function import AppliedUndef

    alpha, old, target = reals("alpha V G")
    n, t = index(), index("t")
    new = old + s.sign * alpha * (target - old)
    # what the last of the n steps adds to the target: R and V of the latest time in it
    times = [call.args[0] for call in NStep(reals("gamma")).more(t, n - 1).atoms(AppliedUndef)]
    latest = max(times, key=lambda time: int(time - t - n))
    return Findings(
        literal=[
            Identity(
                "the error left is 1 − α of the old one",
                target - new,
                (1 - alpha) * (target - old),
                "every α, V and G",
            ),
            Identity(
                "the time of the update is the latest one in the target", t + n + s.delay, latest, "n ≥ 1"
            ),
        ]
    )


@claim(
    "L1.3-target-value-undated",
    dated=False,
    corruptions=[Corruption("the target's V is that of time t + n − 1", dated=True)],
)
def undated(s: Statement) -> Findings:
    """V changes between t and t + n, so the V inside the target needs its time; in 1.4 nothing changes."""
    import sympy

    t, n, gamma = index("t"), index("n"), reals("gamma")
    state, value = sympy.Function("S"), sympy.Function("V")
    table = value(t + n - 1, state(t + n))
    written = table if s.dated else value(t, state(t + n))
    literal = Identity("V of the target read at time t is the one at hand at t + n", written, table)
    if s.dated:
        return Findings(literal=[literal])
    return Findings(
        literal=[literal],
        repair=reading(
            "The target uses the values at hand when the update is made, V_{t+n−1}(S_{t+n}).",
            [
                Identity(
                    "at n = 1 this is the value before the update, V_t",
                    gamma * table.subs(n, 1),
                    gamma * value(t, state(t + 1)),
                )
            ],
            unchanged=[
                Exact("1-step target of 1.4", answer("n_step_return", **EPISODE, n=1), "=", "9.2"),
                Exact("2-step target of 1.4", answer("n_step_return", **EPISODE, n=2), "=", "12.8"),
            ],
            latex=r"G_t^{(n)} = R_{t+1} + \cdots + \gamma^{n} V_{t+n-1}(S_{t+n})",
        ),
    )
