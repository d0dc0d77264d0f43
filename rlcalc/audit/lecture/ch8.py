"""Chapter 8: the algorithm as a whole, its pseudocode, and how it differs from REINFORCE."""

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
    reading,
)
from rlcalc.audit.proofs import answer, positives, reals, unit
from rlcalc.audit.registry import Corruption, Statement, claim

# what section 8.2 lists as parts of the algorithm, and which of it the pseudocode of 8.3 carries out
NAMED = frozenset(
    {"collection", "advantages", "GAE", "epochs", "mini-batches", "clip", "critic", "entropy bonus"}
)
WRITTEN = frozenset({"collection", "advantages", "epochs", "mini-batches", "clip", "critic"})

# the pseudocode of 8.3, statement by statement: what is read, what is set
PSEUDOCODE: tuple[tuple[tuple[str, ...], str], ...] = (
    ((), "θ"),
    ((), "φ"),
    (("θ",), "τ"),
    (("τ",), "G"),
    (("G", "φ", "τ"), "A"),
    (("θ", "θ_old", "τ"), "r"),
    (("r", "A"), "L_clip"),
    (("L_clip", "θ"), "θ"),
    (("φ", "G", "τ"), "L_critic"),
    (("L_critic", "φ"), "φ"),
    (("θ",), "θ_old"),
)


def read_too_early(program: tuple[tuple[tuple[str, ...], str], ...]) -> frozenset[str]:
    """Variables that are read in the first pass before anything sets them."""
    known: set[str] = set()
    early: set[str] = set()
    for reads, sets in program:
        early |= set(reads) - known
        known.add(sets)
    return frozenset(early)


def one_step_back(lam: Any, last: Any = 0) -> tuple[Any, Any]:
    """Generalised advantage and return minus value, if the next ones are equal: both one step earlier."""
    reward, value, behind, gained = reals("R V W G")
    gamma = reals("gamma")
    error = reward + gamma * behind - value
    return error + gamma * lam * (gained - behind) + last, reward + gamma * gained - value


@claim(
    "L8.1-complete",
    lam=1,
    c2=0,
    corruptions=[
        Corruption("condition dropped: any λ", lam="l"),
        Corruption("condition dropped: any weight of the entropy", c2="c"),
    ],
)
def complete(s: Statement) -> Findings:
    """Two of the named pieces are missing; they are inactive for λ = 1 and c_2 = 0."""
    lam = reals(s.lam) if isinstance(s.lam, str) else s.lam
    weight = positives(s.c2) if isinstance(s.c2, str) else s.c2
    # slopes of L^CLIP and H by θ; the critic's loss has none
    clipped, bonus = reals("l h")
    missing = NAMED - WRITTEN
    return Findings(
        against=[
            Fact("pieces that 8.2 names and the pseudocode lacks", missing, "!=", frozenset(), "8.2 and 8.3")
        ],
        repair=condition(
            "It is complete for λ = 1 and c_2 = 0. Otherwise generalised advantages and the entropy bonus, "
            "both named before, have to be put in (and θ_old needs a first value).",
            [
                Identity(
                    "λ = 1: the generalised advantage is G − V", *one_step_back(lam), over="step by step"
                ),
                Identity(
                    "c_2 = 0: the policy's gradient is that of L^CLIP alone",
                    clipped + weight * bonus,
                    clipped,
                    "all gradients of L^CLIP and H",
                ),
            ],
        ),
    )


@claim(
    "L8.3-theta-old-init",
    scope="structure",  # about the order of the lines, nothing in it is a number
    initialised=False,
    corruptions=[Corruption("θ_old ← θ stands before the loop", initialised=True)],
)
def theta_old(s: Statement) -> Findings:
    """Read in the first epoch, set for the first time at the end of the iteration."""
    repaired = (PSEUDOCODE[0], (("θ",), "θ_old"), *PSEUDOCODE[1:])
    program = repaired if s.initialised else PSEUDOCODE
    nothing: frozenset[str] = frozenset()
    literal = Fact("variables read before they are set", read_too_early(program), "=", nothing, "section 8.3")
    if s.initialised:
        return Findings(literal=[literal])
    return Findings(
        literal=[literal],
        repair=reading(
            "θ_old ← θ before every collection (or once before the loop), as the example of 8.4 does.",
            [
                Fact(
                    "then no variable is",
                    read_too_early(repaired),
                    "=",
                    nothing,
                    "section 8.3 with that line",
                )
            ],
            unchanged=[
                Exact("the first ratio of every iteration", answer("ratio", new="1/2", old="1/2"), "=", 1),
                Exact("gradient steps of 8.4", answer("ppo_count", "gradient_steps", epochs=4), "=", 4),
            ],
            latex=r"\theta_{\text{old}} \leftarrow \theta",
        ),
    )


@claim(
    "L8.3-advantage-in-pseudocode",
    lam="1",
    last=0,
    corruptions=[
        Corruption("at λ = 1/2", lam="1/2"),
        Corruption("the state after the end is worth something", last="z"),
    ],
)
def advantage(s: Statement) -> Findings:
    """Σ γ^l δ_{t+l} telescopes to G_t − V(S_t)."""
    import sympy

    gamma = reals("gamma")
    behind = reals(s.last) if s.last else 0
    reward, value = reals("R V")
    telescoped = Induction(
        "generalised advantage at λ = 1 is return minus value",
        base=(Identity("last step: δ = R + γ·V(end) − V", reward + gamma * behind - value, reward - value),),
        step=(Identity("one step earlier", *one_step_back(sympy.Rational(s.lam))),),
        over="whole episodes of any length, all R, V and γ, backwards from the end",
        variable="T − t",
    )
    case: dict[str, Any] = {"rewards": ["1", "2", "3"], "values": ["4", "5", "6", "0"], "gamma": "9/10"}
    exact = answer("gae", **case, lam=s.lam)[0]
    full = answer("discounted_return", rewards=case["rewards"], gamma="9/10") - 4
    return Findings(literal=[telescoped, Exact("an episode of three steps", exact, "=", full)])


@claim(
    "L8.3-lambda",
    lam="19/20",
    replaced=True,
    corruptions=[
        Corruption("λ = 1", lam="1"),
        Corruption("condition dropped: return minus value stays", replaced=False),
    ],
)
def unused_lambda(s: Statement) -> Findings:
    """The written advantage has λ = 1, whatever the list says."""
    case: dict[str, Any] = {"rewards": ["1", "2", "3"], "values": ["0", "0", "0", "0"], "gamma": "1"}
    wanted = answer("gae", **case, lam=s.lam)[0]
    written = answer("discounted_return", rewards=case["rewards"], gamma="1")
    lam = reals("lambda")
    generalised, plain = one_step_back(lam)
    return Findings(
        against=[
            Counterexample(
                f"rewards 1 2 3, V = 0, γ = 1: the pseudocode's advantage against that of λ = {s.lam}",
                given={"rewards": "1 2 3", "V": "0 0 0", "γ": 1, "λ": s.lam},
                claimed=Exact("G_0 − V(S_0) = advantage with λ", written, "=", wanted),
                violates=Exact("the advantage is return minus value", written, "=", 6),
                replay=(
                    Replay(
                        "rlcalc gae --rewards 1 2 3 --values 0 0 0 0 --gamma 1 --lam 19/20",
                        ["2243/400", "97/20", "3"],
                    ),
                    Replay("rlcalc discounted-return --rewards 1 2 3 --gamma 1", "6"),
                ),
                golden="gae/audit-lambda-matters",
            )
        ],
        repair=condition(
            "λ is a parameter once the advantage line is replaced by generalised advantage estimation; as "
            "written the algorithm has no λ (it is the case λ = 1).",
            [
                Identity(
                    "replaced: the recursion δ + γλA with any λ",
                    generalised if s.replaced else plain,
                    generalised,
                    "all R, V, γ and λ",
                ),
                Identity(
                    "kept: what is missing is γ(1 − λ)(G − V) of the next state",
                    plain - generalised,
                    reals("gamma") * (1 - lam) * (reals("G") - reals("W")),
                    "all R, V, γ and λ",
                ),
            ],
        ),
    )


def scores(ratio_at_old: bool) -> list[tuple[Any, Any]]:
    """Of the first of three softmax actions: gradient of the ratio, and score, by each preference."""
    now, before = positives("x_1 x_2 x_3"), positives("o_1 o_2 o_3")
    chance, old = now[0] / sum(now), before[0] / sum(before)
    here = dict(zip(before, now, strict=True)) if ratio_at_old else {}
    found = []
    for at, x in enumerate(now):
        slope = (x * (chance / old).diff(x)).subs(here)
        found.append((slope, (1 if at == 0 else 0) - x / sum(now)))
    return found


@claim(
    "L8.3-first-step-is-pg",
    at_old=True,
    inside=True,
    corruptions=[
        Corruption("the second step too", at_old=False),
        Corruption("the start lies on a bound of the clip", inside=False),
    ],
)
def first_step(s: Statement) -> Findings:
    """At r = 1 the clip does not act and the ratio's gradient is the score."""
    adv, eps = reals("A"), unit("e")
    found: list[Evidence] = [
        Identity(
            f"A ∂r/∂θ_{at + 1} = A ∂log π/∂θ_{at + 1}",
            adv * slope,
            adv * score,
            "softmax over three actions, all preferences, every A; then the means over a batch agree",
        )
        for at, (slope, score) in enumerate(scores(s.at_old))
    ]
    width = eps if s.inside else 0 * eps
    found.append(Sign("r = 1 lies strictly inside the interval: no kink, no clip", width, "0 < ε < 1"))
    return Findings(literal=found)


@claim(
    "L8.3-key-difference",
    baseline=True,
    corruptions=[Corruption("condition dropped: REINFORCE without baseline", baseline=False)],
)
def key_difference(s: Statement) -> Findings:
    """With one epoch and one batch PPO still differs from REINFORCE, by its critic."""
    from rlcalc.audit.tables import algorithms

    attributes = algorithms()
    ppo, reinforce = attributes["PPO"], attributes["REINFORCE"]
    differ = frozenset(
        name for name in ("critic", "limit", "passes") if getattr(ppo, name) != getattr(reinforce, name)
    )
    plain = answer("reinforce_step", theta=["0", "0"], action=0, return_="10")[0]
    centred = answer("reinforce_step", theta=["0", "0"], action=0, return_="10", baseline="5")[0]
    gained, value = reals("G V")
    command = "rlcalc reinforce-step --theta 0 0 --action 0 --return 10"
    own = gained - value if s.baseline else gained
    return Findings(
        against=[
            Counterexample(
                "section 4.4, one epoch, one batch: return 10, critic 5. REINFORCE against the step with 10 "
                "− 5",
                given={"G": 10, "V": 5, "α": "1/10", "epochs": 1},
                claimed=Exact("both move θ_L alike", centred, "=", plain),
                violates=Exact("REINFORCE has no baseline, PPO has", 5, "!=", 0),
                replay=(
                    Replay(command, ["1/2", "-1/2"]),
                    Replay(command + " --baseline 5", ["1/4", "-1/4"]),
                ),
                golden="reinforce_step/baseline-five",
            ),
            Fact("attributes in which they differ", differ, "!=", frozenset({"passes"}), "algorithms.toml"),
        ],
        repair=condition(
            "It is the difference to REINFORCE with the critic as baseline: one full-batch epoch is "
            "the same step, and ratio and clip act only from the second step on. REINFORCE itself has no "
            "critic either.",
            [
                *(
                    Identity(
                        f"the same step in θ_{at + 1}",
                        (gained - value) * slope,
                        own * score,
                        "softmax, θ_old",
                    )
                    for at, (slope, score) in enumerate(scores(True))
                ),
            ],
        ),
    )


@claim(
    "L8.3-update-direction",
    theta=1,
    phi=1,
    read=(1, -1),
    corruptions=[
        Corruption("the critic descends", phi=-1),
        Corruption("the other way round", read=(-1, 1)),
    ],
)
def direction(s: Statement) -> Findings:
    """To first order a step along ±gradient changes a function by ±|gradient|²."""
    actor, miss, step = positives("g d alpha")

    def steps(theta: int, phi: int) -> list[Evidence]:
        # the critic's gradient is 2(V − G); d is its distance from the return
        return [
            Sign("the policy's step raises L^CLIP", theta * step * actor**2, "gradient not 0, α > 0"),
            Sign("the critic's step lowers (V − G)²", -phi * step * (2 * miss) ** 2, "V ≠ G, α > 0"),
        ]

    if (s.theta, s.phi) == (1, -1):
        return Findings(literal=steps(1, -1))
    return Findings(
        literal=steps(s.theta, s.phi),
        repair=reading(
            "The policy ascends on L^CLIP, the critic descends on its loss.",
            steps(*s.read),
            unchanged=[
                Exact("gradient steps of 8.4", answer("ppo_count", "gradient_steps", epochs=4), "=", 4),
                Exact("trajectories of 8.4", answer("ppo_count", "trajectories", epochs=4), "=", 100),
            ],
            latex=r"\theta \leftarrow \theta + \alpha \nabla_\theta L^{\text{CLIP}}, \quad "
            r"\phi \leftarrow \phi - \beta \nabla_\phi L^{\text{critic}}",
        ),
    )
