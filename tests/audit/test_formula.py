"""Formulas: read, evaluated, compared, altered, written plainly."""

from __future__ import annotations

from typing import Any

import pytest
import sympy

from rlcalc.audit.claims import load_claims
from rlcalc.audit.formula import LatexError, altered, fill, mismatch, plain_text, read
from rlcalc.audit.formula.tie import Said
from rlcalc.audit.proofs import index, reals, sequence

FORMULAS = sorted({claim.formula for claim in load_claims().values() if claim.formula})
LAM, GAMMA, N, T, K = reals("lambda"), reals("gamma"), index("n"), index("t"), index("k")
G, R, V = map(sequence, "GRV")


def says(*parts: Any) -> Said:
    """One chain, side and relation in turn."""
    return Said(parts[0::2], parts[1::2])


def as_it_stands(latex: str) -> list[Said]:
    return [Said(chain.sides, chain.relations) for chain in read(latex)]


@pytest.mark.parametrize("latex", FORMULAS)
def test_a_formula_says_what_it_says_and_nothing_else(latex: str) -> None:
    """Every formula of the lecture is read, and every alteration of it is noticed."""
    said = as_it_stands(latex)
    assert mismatch(latex, said) == ""
    for about, other in altered(latex).items():
        problem = mismatch(other, said)
        assert problem, about
        # noticed for what it says
        assert "cannot be read" not in problem, f"{about}: {other}"


@pytest.mark.parametrize(
    ("latex", "said"),
    [
        (r"w_n = (1-\lambda)\lambda^{n-1}", [says(sequence("w")(N), "=", LAM ** (N - 1) - LAM**N)]),
        (
            r"G_t^{(n)} = \sum_{k=1}^{n} \gamma^{k-1} R_{t+k} + \gamma^{n} V(S_{t+n})",
            [
                says(
                    G(T, N),
                    "=",
                    sympy.Sum(GAMMA ** (K - 1) * R(T + K), (K, 1, N)) + GAMMA**N * V(T + N),
                )
            ],
        ),
        (r"\sum_{n=1}^{4} \lambda^n < 1", [says(sympy.Sum(LAM**N, (N, 1, 4)), "<", 1)]),
        (r"G_t = R_{t+1} + \cdots + R_T", [says(G(T), "=", sequence("dots")(R(T + 1), R(index("T"))))]),
        (r"\lambda \in [0, 1]", [says(LAM, "in", [0, 1])]),
        (r"V_\phi(S_t) \quad (\lambda = 0)", [says(sequence("V_phi")(T)), says(LAM, "=", 0)]),
        (
            r"\mathbb{E}_{x \sim p}[f(x)] = 1",
            [says(sequence("E_{x~p}")(sequence("f")(sympy.Symbol("x"))), "=", 1)],
        ),
        (r"\frac{e^{\theta_L}}{2}", [says(sympy.exp(sympy.Symbol("theta_L")) / 2)]),
        (r"\min(r, 1)", [says(sympy.Min(1, sympy.Symbol("r")))]),
        (r"0.5(1) + 0.25(3)", [says("1.25")]),
        (r"|G_t - 1|", [says(sympy.Abs(sympy.Function("G", real=True)(T) - 1))]),
    ],
)
def test_latex_and_sympy_meet(latex: str, said: list[Said]) -> None:
    assert mismatch(latex, said) == ""


@pytest.mark.parametrize(
    ("latex", "part"),
    [
        (r"w_n = \lambda^n", "side 2"),
        (r"w_n < \lambda^{n-1}", "the formula has <"),
        (r"w_n = \lambda^{n-1}, x = 1", "2 parts"),
        (r"w_{n+1} = \lambda^{n-1}", "side 1"),
        (r"w_n = \unknown", "cannot be read"),
        (r"w_n = \lambda^{n-1", "cannot be read"),
    ],
)
def test_a_mismatch_is_said(latex: str, part: str) -> None:
    assert part in mismatch(latex, [says(sequence("w")(N), "=", LAM ** (N - 1))])


@pytest.mark.parametrize(
    ("template", "holes", "latex", "agrees"),
    [
        (
            r"G_t @relation @weight V(S_t)",
            {"relation": "<=", "weight": LAM**2},
            r"G_t \le \lambda^2 V(S_t)",
            True,
        ),
        (
            r"G_t @relation @weight V(S_t)",
            {"relation": "<=", "weight": LAM},
            r"G_t \le \lambda^2 V(S_t)",
            False,
        ),
        (
            r"G_t @relation @weight V(S_t)",
            {"relation": "=", "weight": LAM**2},
            r"G_t \le \lambda^2 V(S_t)",
            False,
        ),
        (r"\@choose(a, b) = x", {"choose": "min"}, r"\min(a, b) = x", True),
        (r"\@choose(a, b) = x", {"choose": "max"}, r"\min(a, b) = x", False),
        (r"@{letter}_t = x", {"letter": "R"}, r"R_t = x", True),
        (r"@{letter}_t = x", {"letter": "G"}, r"R_t = x", False),
        (r"V(S_{t + @n}), \quad x = @n", {"n": 1}, r"V(S_{t+1}), \quad x = 1", True),
        (r"V(S_{t + @n}), \quad x = @n", {"n": -1}, r"V(S_{t+1}), \quad x = 1", False),
    ],
)
def test_a_template_says_what_fills_its_holes(
    template: str, holes: dict[str, object], latex: str, agrees: bool
) -> None:
    problem = mismatch(latex, fill(template, holes))
    assert (problem == "") == agrees
    assert "cannot be read" not in problem


def test_a_template_without_holes_would_repeat_the_formula() -> None:
    with pytest.raises(ValueError, match="holes"):
        fill(r"w_n = \lambda", {"weight": LAM})
    with pytest.raises(ValueError, match="holes"):
        fill(r"w_n = @other", {}, {"weight": LAM})


def test_what_a_function_fills_must_be_a_hole() -> None:
    assert mismatch("w_n < 1", fill("w_n @relation 1", {}, {"relation": "<", "total": 1})) == ""
    with pytest.raises(ValueError, match="holes"):
        fill("w_n @relation 1", {"weight": LAM}, {"relation": "<"})


@pytest.mark.parametrize("latex", [r"\foo", "1 +", "(1", r"\frac{1}", "_", "{", r"\text{a"])
def test_what_is_no_formula_is_refused(latex: str) -> None:
    with pytest.raises(LatexError):
        read(latex)


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"G_t^{(n)} = \sum_{k=1}^{n} \gamma^{k-1} R_{t+k}", "G_t^{(n)} = Σ_{k=1}^n γ^{k−1} R_{t+k}"),
        (r"\frac{1}{n+1}", "1/(n+1)"),
        (r"\frac{1}{\frac{a}{b+1}}", "1/(a/(b+1))"),
        (r"1-\epsilon \le r \le 1+\epsilon", "1−ε ≤ r ≤ 1+ε"),
        (r"\operatorname{clip}(r, 1, 2)", "clip(r, 1, 2)"),
        (r"a \text{ for } b", "a for b"),
    ],
)
def test_plain_text(latex: str, text: str) -> None:
    assert plain_text(latex) == text


def test_no_formula_keeps_its_commands_in_plain_text() -> None:
    assert [latex for latex in FORMULAS if "\\" in plain_text(latex)] == []
