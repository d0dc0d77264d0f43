"""Chapter 8: what the small loop counts, and TRPO."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rlcalc.audit.evidence import (
    Counterexample,
    Evidence,
    Exact,
    Fact,
    Findings,
    Identity,
    Replay,
    condition,
    correction,
    reading,
)
from rlcalc.audit.lecture.ch7_loop import run
from rlcalc.audit.proofs import answer, reals, unit
from rlcalc.audit.registry import Corruption, Statement, claim

COUNT = "rlcalc ppo-count --trajectories 100 --epochs 4"


@claim(
    "L8.4-counts",
    trajectories=100,
    epochs=4,
    steps=4,
    corruptions=[Corruption("400 steps", steps=400), Corruption("3 epochs", epochs=3)],
)
def counts(s: Statement) -> Findings:
    inputs = {"trajectories": s.trajectories, "epochs": s.epochs}
    return Findings(
        literal=[
            Exact("gradient steps", answer("ppo_count", "gradient_steps", **inputs), "=", s.steps),
            Exact("trajectories", answer("ppo_count", "trajectories", **inputs), "=", s.trajectories),
            Exact("collections", answer("ppo_count", "collections", **inputs), "=", 1),
        ]
    )


@claim(
    "L8.4-400-collections",
    printed=400,
    counted="reinforce_collections",
    corruptions=[
        Corruption("4 collections", printed=4),
        Corruption("400 trajectories", counted="reinforce_trajectories"),
        Corruption("40", printed=40),
    ],
)
def collections(s: Statement) -> Findings:
    """The number counts trajectories."""
    inputs: dict[str, Any] = {"trajectories": 100, "epochs": 4}
    needed = {
        name: answer("ppo_count", name, **inputs)
        for name in ("reinforce_collections", "reinforce_trajectories", "gradient_steps")
    }
    literal = Exact("collections for 4 gradient steps", needed[s.counted], "=", s.printed)
    return Findings(
        literal=[literal],
        repair=reading(
            "400 trajectories, in 4 collections of 100: one collection for each gradient step.",
            [
                Exact(
                    "one collection for each step",
                    needed["reinforce_collections"],
                    "=",
                    needed["gradient_steps"],
                ),
            ],
            unchanged=[Exact("trajectories", needed["reinforce_trajectories"], "=", s.printed)],
            latex=r"4 \text{ collections} \cdot 100 = 400 \text{ trajectories}",
        )
        if literal.status == "fails"
        else None,
    )


@claim(
    "L8.4-one-step-per-epoch",
    minibatches=1,
    corruptions=[Corruption("condition dropped: any number of mini-batches", minibatches="M")],
)
def per_epoch(s: Statement) -> Findings:
    """8.2 and the pseudocode make a step of every mini-batch."""
    epochs = reals("E")
    parts = reals(s.minibatches) if isinstance(s.minibatches, str) else s.minibatches
    steps = answer("ppo_count", "gradient_steps", epochs=4, minibatches=2)
    return Findings(
        against=[
            Counterexample(
                "two mini-batches, as the pseudocode of 8.3 allows",
                given={"epochs": 4, "mini-batches": 2},
                claimed=Exact("gradient steps = epochs", steps, "=", 4),
                violates=Exact("mini-batches", 2, "!=", 1),
                replay=(Replay(COUNT + " --minibatches 2", "8", "gradient_steps"),),
                golden="ppo_count/audit-two-minibatches",
                search="numbers of mini-batches: with one it holds",
            )
        ],
        repair=condition(
            "An epoch is one step if the whole batch is used at once; with M mini-batches it is M steps.",
            [Identity("E epochs of M mini-batches make E steps", epochs * parts, epochs, "every E, M = 1")],
        ),
    )


# θ_L after epochs 1 to 5 of one way to fill the loop in, and the good action's ratio then
TRACE = ("0.05", "0.0998752080", "0.1493797533", "0.1982804279", "0.2463650693")
RATIO = "1.2414987440"


@claim(
    "L8.4-loop-unspecified",
    alpha="1/50",
    eps="1/5",
    ratio=RATIO,
    corruptions=[
        Corruption("another step size", alpha="1/40"),
        Corruption("another ε", eps="1/10"),
        Corruption("another ratio", ratio="1.2"),
    ],
)
def loop(s: Statement) -> Findings:
    """Without environment, step size and ε nothing follows; with them everything."""
    states = run(s.alpha, 5, s.eps)
    close = Fraction(1, 2 * 10**10)
    found: list[Evidence] = []
    for at, printed in enumerate(TRACE, 1):
        low, high = states[at].theta
        worst = max(abs(low - Fraction(printed)), abs(high - Fraction(printed)))
        found.append(Exact(f"θ_L after epoch {at} is {printed}, to 10 decimals", worst, "<=", close))
    low, high = states[5].good
    worst = max(abs(low - Fraction(s.ratio)), abs(high - Fraction(s.ratio)))
    found.append(Exact("and the ratio of L, to 10 decimals", worst, "<=", close))
    found.append(Exact("where the gradient has become 0", states[5].slope[1], "=", 0))
    slow, fast = (answer("ratio", new=f"1/(1+exp(-1/{n}))", old="1/2") for n in (10, 2))
    return Findings(
        against=[
            Counterexample(
                "the bandit of 4.4 with V = 5 and ε = 1/5, once with α = 1/50 and once with 1/10: ratio "
                "after epoch 1",
                given={"α": "1/50 or 1/10"},
                claimed=Exact("both runs agree", slow, "=", fast),
                violates=Exact("the step size is left open: 1/50 and 1/10", "1/50", "!=", "1/10"),
                replay=(
                    Replay("rlcalc ratio --new 1/(1+exp(-1/10)) --old 1/2", "2/(1 + exp(-1/10))"),
                    Replay("rlcalc ratio --new 1/(1+exp(-1/2)) --old 1/2", "2/(1 + exp(-1/2))"),
                ),
                golden="ratio/audit-smaller-step",
            )
        ],
        repair=condition(
            "It does once environment, returns, critic, reduction, ε and step sizes are given. On the "
            "bandit of 4.4 with V = 5, 50 trajectories of each action, the mean objective, ε = 1/5 and "
            "α = 1/50, θ_L is 0.05, 0.0999, 0.1494, 0.1983, 0.2464.",
            found,
        ),
    )


# TRPO, equation 12: mean over states of KL(θ_old, θ) ≤ δ
TRPO_ORDER = ("old", "new")


@claim(
    "L8.5-kl-direction",
    scope="structure",  # what a published algorithm does
    order=("new", "old"),
    corruptions=[Corruption("the old policy first", order=("old", "new"))],
)
def kl_direction(s: Statement) -> Findings:
    """The other direction lets pass what TRPO refuses."""
    import sympy

    policies = {"old": ["1/2", "1/2"], "new": ["9/10", "1/10"]}
    stated = answer("kl", p=policies[s.order[0]], q=policies[s.order[1]])
    own = answer("kl", p=policies[TRPO_ORDER[0]], q=policies[TRPO_ORDER[1]])
    source = "arXiv:1502.05477, equations 12 to 14"
    same = Fact("order of the arguments in TRPO's constraint", s.order, "=", TRPO_ORDER, source)
    if same.status == "holds":
        return Findings(literal=[same])
    p, t = unit("x"), sympy.Symbol("t")
    shifted = p + t
    ways = (
        p * sympy.log(p / shifted) + (1 - p) * sympy.log((1 - p) / (1 - shifted)),
        shifted * sympy.log(shifted / p) + (1 - shifted) * sympy.log((1 - shifted) / (1 - p)),
    )
    return Findings(
        against=[
            Counterexample(
                "from (1/2, 1/2) to (9/10, 1/10) with δ = 2/5: allowed one way, refused the other",
                given={"π_old": "1/2 1/2", "π": "9/10 1/10", "δ": "2/5"},
                claimed=Exact("D(π_old‖π) ≤ δ as well", own, "<=", "2/5"),
                premises=(Exact("D(π‖π_old) ≤ δ", stated, "<=", "2/5"),),
                replay=(
                    Replay("rlcalc kl --p 0.9 0.1 --q 0.5 0.5", "-log(5) + 9*log(3)/5"),
                    Replay("rlcalc kl --p 0.5 0.5 --q 0.9 0.1", "log(5/3)"),
                ),
                golden="kl/half-from-nine-tenths",
            )
        ],
        repair=correction(
            "TRPO bounds D_KL(π_old‖π_θ), averaged over the states that the old policy visits. (For small "
            "steps both directions agree to second order.)",
            [
                Fact("TRPO's own order", TRPO_ORDER, "=", ("old", "new"), source),
                Identity(
                    "second order of both at equality: 1/(p(1 − p))",
                    ways[0].diff(t, 2).subs(t, 0),
                    ways[1].diff(t, 2).subs(t, 0),
                    "two actions, every p",
                ),
            ],
            latex=r"\mathbb{E}_{s \sim \rho_{\text{old}}}[ D_{KL}(\pi_{\text{old}}(\cdot|s) \| "
            r"\pi_\theta(\cdot|s)) ] \le \delta",
        ),
    )


# the order of the derivatives that a step is made of, and what bounds it
TRPO_STEP = {"order": 2, "bound": "kl", "by": "conjugate gradients on Fisher products, then a line search"}
PPO_STEP = {"order": 1, "bound": "clip", "by": "stochastic gradient ascent (Adam)"}


@claim(
    "L8.5-second-order",
    trpo=2,
    ppo=1,
    bound="kl",
    corruptions=[
        Corruption("TRPO is of first order", trpo=1),
        Corruption("PPO is of second order", ppo=2),
        Corruption("TRPO clips", bound="clip"),
    ],
)
def second_order(s: Statement) -> Findings:
    """As both papers describe their steps."""
    return Findings(
        literal=[
            Fact("order of TRPO's step", TRPO_STEP["order"], "=", s.trpo, "arXiv:1502.05477, appendix C"),
            Fact("what bounds it", TRPO_STEP["bound"], "=", s.bound, "arXiv:1502.05477, equation 12"),
            Fact("order of PPO's step", PPO_STEP["order"], "=", s.ppo, "arXiv:1707.06347, algorithm 1"),
        ]
    )


@claim("L8.5-similar-stability")
def stability(_: Statement) -> Findings:
    return Findings(
        unknowable="No measure of stability is named, nor tasks, settings or a scale. The comparisons that "
        "exist (arXiv:1707.06347, section 6; arXiv:2005.12729) depend on all of them and disagree on what "
        "part of it is due to clipping."
    )
