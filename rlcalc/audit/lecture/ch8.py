"""Chapter 8: the pseudocode of PPO, how it differs from REINFORCE, typical settings, TRPO's order."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import vector
from rlcalc.audit.lecture.ch7_clip import places, slope
from rlcalc.audit.proofs import answer, index, positives, reals, unit
from rlcalc.audit.registry import Statement, claim
from rlcalc.audit.tables import algorithms, settings
from rlcalc.audit.zero import zero_status

Program = tuple[tuple[tuple[str, ...], str], ...]

# the pseudocode of 8.3, line by line: what is read, what is set
PSEUDOCODE: Program = (
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
# the pieces that 8.2 names, and what a line with each of them would read or set
PIECES = {
    "trajectories": "τ",
    "advantages": "A",
    "clipped objective": "L_clip",
    "critic's loss": "L_critic",
    "GAE": "λ",
    "entropy bonus": "H",
}
COUNTS = "ppo_count/lecture-8.4"


def names_in(program: Program) -> frozenset[str]:
    return frozenset(name for reads, sets in program for name in (*reads, sets))


def read_too_early(program: Program) -> frozenset[str]:
    """Variables that are read in the first pass before anything sets them."""
    known: set[str] = set()
    early: set[str] = set()
    for reads, sets in program:
        early |= set(reads) - known
        known.add(sets)
    return frozenset(early)


def one_step_back(lam: Any, minus: Any = 1) -> tuple[Any, Any]:
    """Generalised advantage and return minus value, if the next ones are equal: both one step earlier."""
    reward, value, after, gained, gamma = reals("R V W G gamma")
    error = reward + gamma * after - value
    return error + gamma * lam * (gained - after), reward + gamma * gained - minus * value


def scores(at_old: bool = True) -> list[tuple[Any, Any]]:
    """Of the first of three softmax actions: gradient of the ratio, and score, by each preference."""
    now, before = positives("x_1 x_2 x_3"), positives("o_1 o_2 o_3")
    chance, old = now[0] / sum(now), before[0] / sum(before)
    here = dict(zip(before, now, strict=True)) if at_old else {}
    return [
        ((x * (chance / old).diff(x)).subs(here), (1 if at == 0 else 0) - x / sum(now))
        for at, x in enumerate(now)
    ]


@claim("L8.1-complete", lam="1", c2="0")
def complete(s: Statement, show: ev.Findings) -> None:
    """Two of the pieces are in no line; they do nothing for λ = 1 and c_2 = 0."""
    missing = frozenset(piece for piece, name in PIECES.items() if name not in names_in(PSEUDOCODE))
    with_bonus, without = (
        answer("ppo_loss", "objective", clip="x", critic="y", entropy=entropy, c1="1", c2=s.c2)
        for entropy in ("h", "0")
    )
    show.against.fact("pieces that 8.2 names and no line has", missing, "!=", frozenset())
    show.repair.identity(
        "λ = 1: the generalised advantage is G − V",
        *one_step_back(sympy.Rational(s.lam)),
        over="all R, V and γ",
    )
    show.repair.identity("c_2 = 0: the entropy adds nothing to the objective", with_bonus, without)


@claim("L8.3-theta-old-init", initialised=False)
def theta_old(s: Statement, show: ev.Findings) -> None:
    """Read in the first epoch, set for the first time at the end of the iteration."""
    repaired = (PSEUDOCODE[0], (("θ",), "θ_old"), *PSEUDOCODE[1:])
    program = repaired if s.initialised else PSEUDOCODE
    show.literal.fact(
        "variables that are read before they are set", read_too_early(program), "=", frozenset()
    )
    show.repair.fact("with that line no variable is", read_too_early(repaired), "=", frozenset())
    show.repair.exact(
        "the first ratio of every iteration is 1", answer("ratio", new="1/2", old="1/2"), "=", 1
    )


@claim("L8.3-advantage-in-pseudocode", lam="1", last=0, minus=1)
def advantage(s: Statement, show: ev.Findings) -> None:
    """Σ γ^l δ_{t+l} telescopes to G_t − V(S_t)."""
    gamma, reward, value = reals("gamma R V")
    case = vector("gae/audit-lambda-matters")  # an episode of three steps
    rewards, values = case.given["rewards"], ["4", "5", "6", "0"]
    show.literal.induction(
        "generalised advantage at λ = 1 is return minus value",
        base=(
            ev.Identity(
                "last step: δ = R + γ·V(end) − V", reward + gamma * s.last - value, reward - s.minus * value
            ),
        ),
        step=(ev.Identity("one step earlier", *one_step_back(sympy.Rational(s.lam), s.minus)),),
        over="whole episodes of any length, all R, V and γ, backwards from the end",
        variable="T − t",
    )
    show.literal.exact(
        "an episode of three steps",
        case.answer(values=values, lam=s.lam)[0],
        "=",
        answer("discounted_return", rewards=rewards, gamma=case.given["gamma"])
        - s.minus * sympy.Rational(values[0]),
    )


@claim("L8.3-lambda", lam="19/20", relation="=")
def unused_lambda(s: Statement, show: ev.Findings) -> None:
    """The written advantage has λ = 1, whatever the list says."""
    case, (lam, gamma) = vector("gae/audit-lambda-matters"), reals("lambda gamma")
    full = answer("discounted_return", rewards=case.given["rewards"], gamma=case.given["gamma"])
    generalised, plain = one_step_back(lam)
    show.against += case.refutes(
        "the pseudocode's advantage of an episode with V = 0 against that of λ = 0.95",
        ev.Exact(
            "G_0 − V(S_0) against the advantage with λ",
            full - case.number("values")[0],
            s.relation,
            case.answer()[0],
        ),
        premises=(ev.Exact("the λ of the list", case.given["lam"], "=", s.lam),),
        violates=ev.Exact("λ is not 1", case.given["lam"], "!=", 1),
    )
    show.repair.fact("no line of the pseudocode reads it", "λ", "not in", names_in(PSEUDOCODE))
    show.repair.ordered("at λ = 1 the written advantage is it", plain, s.relation, one_step_back(1)[0])
    show.repair.identity(
        "what the written line adds is γ(1 − λ)(G − V) of the next state, which is 0 at λ = 1 alone",
        plain - generalised,
        gamma * (1 - lam) * (reals("G") - reals("W")),
        "all R, V, γ and λ",
    )


@claim("L8.3-first-step-is-pg", at_old=True, inside=True, sign=1)
def first_step(s: Statement, show: ev.Findings) -> None:
    """At r = 1 the clip does not act and the ratio's gradient is the score."""
    adv = reals("A")
    for at, (change, score) in enumerate(scores(s.at_old), start=1):
        show.literal.identity(
            f"A ∂r/∂θ_{at} = A ∂log π/∂θ_{at}",
            adv * change,
            s.sign * adv * score,
            "softmax over three actions, all preferences, every A; then the means over a batch agree",
        )
    show.literal.sign(
        "r = 1 lies strictly inside the interval: no kink, no clip",
        unit("e") if s.inside else 0 * unit("e"),
        "0 < ε < 1",
    )


@claim("L8.3-key-difference", baseline=1)
def key_difference(s: Statement, show: ev.Findings) -> None:
    """With one epoch and one batch PPO still differs from REINFORCE, by its critic."""
    case, worked = vector("reinforce_step/baseline-five"), vector("reinforce_step/lecture-4.4")
    ppo, reinforce = algorithms()["PPO"], algorithms()["REINFORCE"]
    differ = frozenset(
        name for name in ("critic", "limit", "passes") if getattr(ppo, name) != getattr(reinforce, name)
    )
    gained, value = reals("G V")
    show.against += case.refutes(
        "section 4.4, one epoch, one batch: return 10, critic 5",
        ev.Exact("both move θ_L alike", case.answer()[0], "=", worked.answer()[0]),
        also=(worked,),
        violates=ev.Exact("REINFORCE has no baseline, PPO has", case.given["baseline"], "!=", 0),
    )
    show.against.fact("what differs in the table", differ, "!=", frozenset({"passes"}), ppo.source)
    for at, (change, score) in enumerate(scores(), start=1):
        show.repair.identity(
            f"the same step in θ_{at}",
            (gained - value) * change,
            (gained - s.baseline * value) * score,
            "softmax, θ = θ_old",
        )


@claim("L8.3-update-direction", theta=Choice(1, -1), phi=Choice(1, -1))
def direction(s: Statement, show: ev.Findings) -> None:
    """To first order a step along ±gradient changes a function by ±|gradient|²."""
    actor, miss, step = positives("g d alpha")

    def steps(phi: int) -> list[ev.Evidence]:
        # the critic's gradient is 2(V − G); d is its distance from the return
        return [
            ev.Sign("the policy's step raises L^CLIP", s.theta * step * actor**2, "gradient not 0, α > 0"),
            ev.Sign("the critic's step lowers (V − G)²", -phi * step * (2 * miss) ** 2, "V ≠ G, α > 0"),
        ]

    show.literal += steps(s.phi)
    show.repair += steps(-s.phi)


@claim("L8.3-critic-loss", target=1, per_step=True)
def critic_loss(s: Statement, show: ev.Findings) -> None:
    """Sum, mean and weight differ by a positive factor, which the step size can take up."""
    n, c1, mean = index(), positives("c_1"), reals("m")
    case = vector("critic_loss/reductions")
    ways = {"sum": case, "mean": case.otherwise(1), "half of the mean": case.otherwise(2)}
    returns = case.number("returns")
    targets = [str(s.target * one) for one in returns]
    first, second = case.answer("gradient")
    show.repair.sign("n, from mean to sum, and c_1 are positive factors", n * c1, "n ≥ 1 steps, c_1 > 0")
    for name, way in ways.items():
        best, slope = way.answer("minimiser", returns=targets), way.answer("gradient")
        show.repair.exact(f"{name}: best is the mean of the returns", best, "=", sum(returns) / len(returns))
        show.repair.exact(f"{name}: the gradient has one direction", slope[0] * second, "=", slope[1] * first)
    whole = n * mean if s.per_step else mean
    show.literal.identity("the sum of 6.3 is the loss of one step", whole, mean, "n steps, mean m")


# settings that are called typical, against published ones


SOURCE = "specs/claims/ppo_settings.toml"
# the ends of the lecture's ranges are what the PPO paper used in these two experiments
LOW_END, HIGH_END = "PPO paper, Atari", "PPO paper, MuJoCo"


def values(key: str, task: str | None = None) -> list[Fraction]:
    """What is used for one setting, wherever it is stated."""
    chosen = [one for one in settings().values() if task in (None, one.task)]
    return [Fraction(getattr(one, key)) for one in chosen if getattr(one, key)]


def typical(key: str, low: str, high: str, task: str | None = None) -> ev.Fact:
    """More than half of the published settings lie in a range."""
    found = values(key, task)
    inside = sum(Fraction(low) <= value <= Fraction(high) for value in found)
    of = f" for {task}" if task else ""
    return ev.Fact(
        f"{key}: published settings{of} within [{low}, {high}] are the majority, {inside} of {len(found)}",
        2 * inside > len(found),
        "=",
        True,
        SOURCE,
    )


def usual(key: str, stated: str, task: str) -> ev.Fact:
    """The value that most settings for a kind of task have."""
    most = Counter(values(key, task)).most_common(1)[0][0]
    return ev.Fact(f"{key}: the value used most for {task}", most, "=", Fraction(stated), SOURCE)


def both_ends(key: str, low: str, high: str) -> list[ev.Evidence]:
    """The ends of a range are what the PPO paper used, on Atari and on MuJoCo."""
    return [
        ev.Fact(f"{key}: {name}", Fraction(getattr(settings()[name], key)), "=", Fraction(end), SOURCE)
        for name, end in ((LOW_END, low), (HIGH_END, high))
    ]


def usual_range(key: str, low: str, high: str) -> list[ev.Evidence]:
    """Both ends are published, and the settings for control are mostly between them."""
    return [*both_ends(key, low, high), typical(key, low, high, "control")]


@claim("L8.2-epochs", low="3", high="10")
def epochs(s: Statement, show: ev.Findings) -> None:
    """Both ends are settings of the PPO paper; recipes for language models make one pass."""
    passes = values("epochs", "language")
    fewer = sum(value < Fraction(s.low) for value in passes)
    show.against.fact(
        f"for language models most make fewer than {s.low}, {fewer} of {len(passes)}",
        2 * fewer > len(passes),
        "=",
        True,
        SOURCE,
    )
    show.repair += usual_range("epochs", s.low, s.high)
    show.repair.append(usual("epochs", "1", "language"))


@claim(
    "L8.3-hyperparameters",
    eps_from="0.1",
    eps_to="0.2",
    epochs_from="3",
    epochs_to="10",
    rate="3e-4",
    lam="0.95",
    gamma="0.99",
)
def hyperparameters(s: Statement, show: ev.Findings) -> None:
    """The values of the PPO paper for control; for text, the lecture's subject, γ and the rate differ."""
    language = {"gamma": "1", "lam": "1", "epochs": "1", "rate": "1e-6"}
    for key, name, value in (("gamma", f"γ = {s.gamma}", s.gamma), ("rate", f"the rate {s.rate}", s.rate)):
        show.against.fact(
            f"no language model had {name}", Fraction(value), "not in", values(key, "language"), SOURCE
        )
    show.repair += usual_range("eps", s.eps_from, s.eps_to)
    show.repair += usual_range("epochs", s.epochs_from, s.epochs_to)
    show.repair += (usual(key, getattr(s, key), "control") for key in ("rate", "lam", "gamma"))
    show.repair.append(typical("eps", s.eps_from, s.eps_to, "language"))
    show.repair += (usual(key, value, "language") for key, value in language.items())


# the order of what bounds a step of TRPO, and of what moves PPO


MOST = 3
TWO = "two softmax actions, any policy; the preference of the first moves by t"


def lowest(function: Any, t: Any) -> Any:
    """The order of the first derivative at t = 0 that is not 0 whatever the policy.

    Raises:
        ValueError: none of the first ones, or one that is not settled.
    """
    for order in range(1, MOST + 1):
        status = zero_status(sympy.simplify(function.diff(t, order).subs(t, 0)))
        if status == "fails":
            return sympy.Integer(order)
        if status == "open":
            break
    raise ValueError(f"no order of {function} is settled")


@claim("L8.5-second-order", trpo=2, ppo=1, hard=Choice("kl", "clip"), soft=Choice("clip", "kl"))
def second_order(s: Statement, show: ev.Findings) -> None:
    """At the old policy the divergence has no slope, only its curvature bounds a step."""
    t, adv, p = sympy.Symbol("t", real=True), positives("a"), unit("x")
    moved = p * sympy.exp(t) / (p * sympy.exp(t) + 1 - p)
    divergence = answer("kl", p=["p", "1-p"], q=["q", "1-q"])
    old, new = sorted(divergence.free_symbols, key=str)
    bound = divergence.subs({old: p, new: moved})
    # inside the interval, where every step from the old policy begins
    place = next(one for one in places() if one[:2] == (">", "inside"))
    objective = slope(place).subs(place.a, adv) * moved / p
    orders = lowest(bound, t), lowest(objective, t)
    trpo, ppo = algorithms()["TRPO"], algorithms()["PPO"]
    show.literal.exact("order of the first derivative in TRPO's bound that is not 0", orders[0], "=", s.trpo)
    show.literal.identity(
        "it is the Fisher information, the matrix that its step is solved with",
        bound.diff(t, orders[0]).subs(t, 0),
        p * (1 - p),
        TWO,
    )
    show.literal.exact("order of the first in PPO's objective", orders[1], "=", s.ppo)
    show.literal.identity(
        "it is the advantage times the score, the gradient that every optimiser takes",
        objective.diff(t, orders[1]).subs(t, 0),
        adv * (1 - p),
        TWO,
    )
    show.literal.fact("what bounds a step of TRPO", trpo.limit, "=", s.hard, trpo.source)
    show.literal.fact("what bounds a step of PPO", ppo.limit, "=", s.soft, ppo.source)
