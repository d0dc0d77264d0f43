"""Chapter 1: bias and variance of the n-step target."""

from __future__ import annotations

from itertools import product
from typing import Any

from rlcalc.audit.evidence import Counterexample, Exact, Findings, Identity, Replay, Sign, condition
from rlcalc.audit.proofs import answer, index, positives, reals, unit
from rlcalc.audit.registry import Corruption, Statement, claim


@claim(
    "L1.2-bias-falls",
    relation="<=",
    error_shrinks=True,
    corruptions=[
        Corruption("bias rises instead of falling", relation=">="),
        Corruption("condition dropped: the error of V may grow freely", error_shrinks=False),
    ],
)
def bias_falls(s: Statement) -> Findings:
    """An exact V at the next state and a wrong one behind it: the longer target is the biased one.

    Bias of the n-step target is γ^n times the expected error of V where it
    bootstraps; the rewards themselves are unbiased.
    """
    case: dict[str, Any] = {"rewards": ["0", "0"], "values": ["0", "0", "1"], "gamma": "9/10"}
    near, far = (answer("n_step_return", **case, n=n) for n in (1, 2))
    g, n, error = positives("gamma"), index(), positives("e")
    # the error one step later: below error/γ when it is restrained, anything at all otherwise
    later = error / (g * (1 + positives("d"))) if s.error_shrinks else positives("f")
    reward, value, true = reals("r V v")
    worst = positives("m")
    return Findings(
        against=[
            Counterexample(
                "V is right at S_1 and wrong at S_2; all rewards are 0, so the true value is 0",
                given={"rewards": "0 0", "V": "0 0 1", "v": 0, "γ": "9/10"},
                claimed=Exact(f"|bias of n = 2| {s.relation} |bias of n = 1|", far, s.relation, near),
                violates=Exact("the error of V grows: from 0 at S_1 to 1 at S_2", 1, ">", 0),
                replay=(
                    Replay("rlcalc n-step --rewards 0 0 --values 0 0 1 --gamma 0.9 --n 1", "0"),
                    Replay("rlcalc n-step --rewards 0 0 --values 0 0 1 --gamma 0.9 --n 2", "81/100"),
                ),
                golden="n_step_return/audit-bias-grows",
                search="episodes of two rewards with rewards and values 0 or 1",
            )
        ],
        repair=condition(
            "From n to n + 1 it falls exactly when the expected error of V at S_{t+n+1} is smaller than "
            "1/γ times "
            "that at S_{t+n}. Without a condition only its bound γ^n max|V − v| falls (γ < 1).",
            [
                Identity(
                    "the bias is γ^n times the error where the target bootstraps",
                    (reward + g**n * value) - (reward + g**n * true),
                    g**n * (value - true),
                    "n ≥ 1, every γ, R, V and v; expectations are linear",
                ),
                Sign(
                    "γ^n |e_n| − γ^(n+1) |e_{n+1}| > 0",
                    g**n * error - g ** (n + 1) * later,
                    "n ≥ 1, γ > 0, |e_{n+1}| < |e_n|/γ",
                ),
                Sign(
                    "and otherwise not: γ^(n+1) |e_{n+1}| − γ^n |e_n| ≥ 0",
                    g ** (n + 1) * error * (1 + positives("d")) / g - g**n * error,
                    "n ≥ 1, γ > 0, |e_{n+1}| ≥ |e_n|/γ",
                    strict=False,
                ),
                Sign(
                    "the bound falls: γ^n m − γ^(n+1) m > 0",
                    worst * (unit("p") ** n - unit("p") ** (n + 1)),
                    "0 < γ < 1, m = max|V − v| > 0",
                ),
            ],
        ),
    )


def variance_of(outcomes: list[Any]) -> Any:
    """Variance of equally likely exact numbers."""
    import sympy

    mean = sum(outcomes, sympy.Integer(0)) / len(outcomes)
    return sum(((one - mean) ** 2 for one in outcomes), sympy.Integer(0)) / len(outcomes)


def _smallest_fall() -> tuple[list[tuple[int, ...]], int]:
    """The first pair of equally likely reward sequences whose 2-step variance is the smaller one.

    Undiscounted, V = 0; sequences of two rewards from −1, 0, 1.
    """
    import sympy

    sequences = sorted(product((0, 1, -1), repeat=2), key=lambda pair: sum(map(abs, pair)))
    pairs = [(one, other) for at, one in enumerate(sequences) for other in sequences[at + 1 :]]
    pairs.sort(key=lambda pair: sum(abs(number) for sequence in pair for number in sequence))
    for one, other in pairs:
        short, long = ([sympy.Integer(sum(each[:n])) for each in (one, other)] for n in (1, 2))
        if variance_of(long) < variance_of(short):
            return [one, other], len(pairs)
    raise AssertionError("there is such a pair")


@claim(
    "L1.2-variance-rises",
    relation=">=",
    uncorrelated=True,
    corruptions=[
        Corruption("variance falls instead of rising", relation="<="),
        Corruption("condition dropped: rewards may be correlated", uncorrelated=False),
    ],
)
def variance_rises(s: Statement) -> Findings:
    """A second reward that undoes the first takes all the variance away."""
    (one, other), tried = _smallest_fall()
    results = [
        [
            answer("n_step_return", rewards=list(map(str, each)), values=["0", "0", "0"], gamma="1", n=n)
            for each in (one, other)
        ]
        for n in (1, 2)
    ]
    short, long = (variance_of(outcomes) for outcomes in results)
    g, gg, d, dd, gd = reals("E_G E_GG E_D E_DD E_GD")
    covariance = gd - g * d
    spread, n, gamma, correlated = positives("u"), index(), positives("gamma"), positives("c")
    chance, past = reals("p g")
    # two ways to go on after a history; the true value there is their mean, by its Bellman equation
    ways = [reward + gamma * after for reward, after in zip(reals("r1 r2"), reals("w1 w2"), strict=True)]
    true = chance * ways[0] + (1 - chance) * ways[1]
    error = chance * (ways[0] - true) + (1 - chance) * (ways[1] - true)
    first, second = " ".join(map(str, one)), " ".join(map(str, other))
    return Findings(
        against=[
            Counterexample(
                "two equally likely episodes; the second reward takes the difference of the first away",
                given={"rewards": f"{first} or {second}", "V": "0 0 0", "γ": 1},
                claimed=Exact(f"Var of n = 2 {s.relation} Var of n = 1", long, s.relation, short),
                violates=Exact("R_1 and R_2 are correlated: Cov", _covariance(one, other), "!=", 0),
                replay=(
                    Replay(
                        f"rlcalc control-variate --x {one[0]} {other[0]} --b {-one[1]} {-other[1]}",
                        str(short),
                        "variance_x",
                    ),
                    Replay(
                        f"rlcalc control-variate --x {one[0]} {other[0]} --b {-one[1]} {-other[1]}",
                        str(long),
                        "variance",
                    ),
                ),
                golden="control_variate/audit-longer-target-varies-less",
                search=f"{tried} pairs of equally likely sequences of two rewards from −1, 0, 1",
            )
        ],
        repair=condition(
            "It rises with every reward whose TD error is uncorrelated with the target so far, as when "
            "V is the "
            "true value function; in general it changes by Var D + 2 Cov(G^(n), D), D = γ^n δ_{t+n}.",
            [
                Identity(
                    "Var(G + D) − Var G = Var D + 2 Cov(G, D)",
                    (gg + 2 * gd + dd - (g + d) ** 2) - (gg - g**2),
                    (dd - d**2) + 2 * covariance,
                    "all random G and D with second moments",
                ),
                Identity(
                    "V = v: after any history with target g so far, g·D has mean 0, as has D itself",
                    past * gamma**n * error,
                    0,
                    "every g, γ, n, chance, rewards and next values; more than two ways, and the mean "
                    "over the "
                    "histories, add more terms of this kind",
                ),
                Sign(
                    "what one more reward adds to the variance",
                    spread if s.uncorrelated else spread - 2 * correlated,
                    "Var D > 0 and Cov(G^(n), D) = 0",
                ),
            ],
        ),
    )


def _covariance(one: tuple[int, ...], other: tuple[int, ...]) -> Any:
    import sympy

    pairs = [one, other]
    means = [sympy.Rational(sum(pair[at] for pair in pairs), 2) for at in (0, 1)]
    return sum(((pair[0] - means[0]) * (pair[1] - means[1]) for pair in pairs), sympy.Integer(0)) / 2
