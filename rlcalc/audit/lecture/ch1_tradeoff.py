"""Chapter 1: bias and variance of the n-step target."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.cases import smallest, vector
from rlcalc.audit.proofs import answer, index, positives, reals, unit
from rlcalc.audit.registry import Statement, claim


@claim("L1.2-bias-falls", relation="<=", error_shrinks=True)
def bias_falls(s: Statement, show: ev.Findings) -> None:
    """An exact V at the next state and a wrong one after it: the longer target is the biased one.

    Bias of the n-step target is γ^n times the expected error of V where it
    bootstraps; the rewards themselves are unbiased.
    """
    case = vector("n_step_return/audit-bias-grows")
    # all rewards are 0, so every state is worth 0, and V is its own error
    _, error_near, error_far = case.number("values")
    g, n, error = positives("gamma"), index(), positives("e")
    # the error one step later: below error/γ when it is restrained, anything at all otherwise
    later = error / (g * (1 + positives("d"))) if s.error_shrinks else positives("f")
    reward, value, true = reals("r V v")
    show.against += case.refutes(
        "V is right at S_1 and wrong at S_2; all rewards are 0, so the true value is 0",
        ev.Exact(
            f"|bias of n = 2| {s.relation} |bias of n = 1|", case.answer(), s.relation, case.answer(n=1)
        ),
        violates=ev.Exact("the error of V grows from S_1 to S_2", error_far, ">", error_near),
    )
    show.repair.identity(
        "the bias is γ^n times the error where the target bootstraps",
        (reward + g**n * value) - (reward + g**n * true),
        g**n * (value - true),
        "n ≥ 1, every γ, R, V and v; expectations are linear",
    )
    show.repair.ordered(
        "γ^(n+1) |e_{n+1}| against γ^n |e_n|",
        g ** (n + 1) * later,
        s.relation,
        g**n * error,
        "n ≥ 1, γ > 0, |e_{n+1}| < |e_n|/γ",
    )
    show.repair.ordered(
        "and otherwise not: γ^(n+1) |e_{n+1}| ≥ γ^n |e_n|",
        g ** (n + 1) * error * (1 + positives("d")) / g,
        ">=",
        g**n * error,
        "n ≥ 1, γ > 0, |e_{n+1}| ≥ |e_n|/γ",
    )
    show.repair.sign(
        "the bound falls: γ^n m − γ^(n+1) m > 0",
        positives("m") * (unit("p") ** n - unit("p") ** (n + 1)),
        "0 < γ < 1, m = max|V − v| > 0",
    )


def variance_of(outcomes: list[Any]) -> Any:
    """Variance of equally likely exact numbers."""
    mean = sum(outcomes, sympy.Integer(0)) / len(outcomes)
    return sum(((one - mean) ** 2 for one in outcomes), sympy.Integer(0)) / len(outcomes)


Episode = tuple[int, ...]


def second_undoes_first() -> tuple[tuple[Episode, Episode], str]:
    """The smallest pair of episodes whose sums differ by less than their first rewards do."""
    sequences = sorted(product((0, 1, -1), repeat=2), key=lambda pair: sum(map(abs, pair)))
    pairs = sorted(
        combinations(sequences, 2), key=lambda pair: sum(abs(number) for one in pair for number in one)
    )
    return smallest(
        pairs,
        lambda one: abs(sum(one[0]) - sum(one[1])) < abs(one[0][0] - one[1][0]),
        "the pairs of equally likely sequences of two rewards from −1, 0, 1, by the sum of their sizes",
    )


def _spread(pair: tuple[Episode, Episode], n: int) -> Any:
    """Variance of the n-step target, undiscounted and with V = 0."""
    targets = [
        answer("n_step_return", rewards=[*map(str, one)], values=["0"] * 3, gamma="1", n=n) for one in pair
    ]
    return variance_of(targets)


@claim("L1.2-variance-rises", relation=">=", uncorrelated=True)
def variance_rises(s: Statement, show: ev.Findings) -> None:
    """A second reward that undoes the first takes all the variance away."""
    pair, search = second_undoes_first()
    g, gg, d, dd, gd = reals("E_G E_GG E_D E_DD E_GD")
    n, gamma, spread, correlated = index(), positives("gamma"), positives("u"), positives("c")
    before, (chance, past) = positives("w"), reals("p g")
    # two ways to go on after a history; the true value there is their mean, by its Bellman equation
    ways = [reward + gamma * after for reward, after in zip(reals("r1 r2"), reals("w1 w2"), strict=True)]
    true = chance * ways[0] + (1 - chance) * ways[1]
    error = chance * (ways[0] - true) + (1 - chance) * (ways[1] - true)
    change = spread if s.uncorrelated else spread - 2 * correlated
    show.against += vector("control_variate/audit-longer-target-varies-less").refutes(
        "X is the 1-step target, X − b the 2-step one: the second reward undoes the first",
        ev.Exact(f"Var of n = 2 {s.relation} Var of n = 1", _spread(pair, 2), s.relation, _spread(pair, 1)),
        violates=ev.Exact("R_1 and R_2 are correlated: Cov", covariance(pair), "!=", 0),
        smallest=search,
    )
    show.repair.identity(
        "Var(G + D) − Var G = Var D + 2 Cov(G, D)",
        (gg + 2 * gd + dd - (g + d) ** 2) - (gg - g**2),
        (dd - d**2) + 2 * (gd - g * d),
        "all random G and D with second moments",
    )
    show.repair.identity(
        "V = v: after any history with target g so far, g·D has mean 0, as has D itself",
        past * gamma**n * error,
        0,
        "every g, γ, n, chance, rewards and next values; more than two ways, and the mean "
        "over the histories, add more terms of this kind",
    )
    show.repair.ordered(
        "the variance with one more reward against that without",
        before + change,
        s.relation,
        before,
        "Var D > 0 and Cov(G^(n), D) = 0",
    )


def covariance(pair: tuple[Episode, Episode]) -> Any:
    means = [sympy.Rational(sum(one[at] for one in pair), 2) for at in (0, 1)]
    return sum(((one[0] - means[0]) * (one[1] - means[1]) for one in pair), sympy.Integer(0)) / 2
