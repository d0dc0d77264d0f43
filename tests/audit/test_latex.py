"""LaTeX's subset -> MathML and text."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from rlcalc.audit.claims import load_claims
from rlcalc.audit.latex import LatexError, columns, to_mathml, to_text


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"G_t^{(n)} = \sum_{k=1}^{n} \gamma^{k-1} R_{t+k}", "G_t^(n) = Σ_{k=1}^n γ^{k−1}R_{t+k}"),
        (r"\frac{1}{n+1}", "1/(n + 1)"),
        (r"\log \frac{p}{q}", "log (p/q)"),  # not (log p)/q
        (r"\alpha \frac{p}{q}", "αp/q"),
        (r"\sqrt{2}", "√(2)"),
        (r"\mathbb{E}_{x \sim p}[f(x)]", "𝔼_{x∼p}[f(x)]"),
        (r"1-\epsilon \le r \le 1+\epsilon", "1 − ε ≤ r ≤ 1 + ε"),
        (r"\nabla_\theta \log p_\theta(x)", "∇_θlog p_θ(x)"),
        (r"\begin{pmatrix} 1 \\ -1 \end{pmatrix}", "(1; − 1)"),
        (r"f'(x)", "f′(x)"),
        (r"\operatorname{clip}(r, 1-\epsilon, 1+\epsilon)", "clip(r,1 − ε,1 + ε)"),
        (r"\left( a \right)", "(a)"),
        (r"a \text{ for } b", "a for b"),
    ],
)
def test_text(latex: str, text: str) -> None:
    assert to_text(latex) == text


def test_mathml_has_the_right_shape() -> None:
    root = ElementTree.fromstring(to_mathml(r"\sum_{n=1}^{\infty} \frac{a}{b}", block=True))
    space = "{http://www.w3.org/1998/Math/MathML}"
    assert root.tag == f"{space}math"
    assert root.find(f".//{space}munderover") is not None
    assert len(list(root.iter(f"{space}mfrac"))) == 1


@pytest.mark.parametrize("claim", load_claims().values(), ids=lambda claim: claim.id)
def test_every_formula_of_a_claim_is_read(claim) -> None:  # type: ignore[no-untyped-def]
    if claim.formula:
        ElementTree.fromstring(to_mathml(claim.formula))
        assert "\\" not in to_text(claim.formula)
        assert "".join(columns(claim.formula))


@pytest.mark.parametrize(
    "latex",
    [
        r"\unknown",
        "{",
        "}",
        "a}",
        r"\frac{1}",
        "x_",
        r"\begin{cases} a",
        r"\begin{foo}\end{foo}",
        r"\mathbb{Q}",
        "@",
    ],
)
def test_anything_else_is_refused(latex: str) -> None:
    with pytest.raises(LatexError):
        to_mathml(latex)


def test_columns_split_at_quads_outside_brackets() -> None:
    assert columns(r"a = b, \quad c = d") == ["a = b,", "c = d"]
    assert columns(r"\frac{a \quad b}{c}") == [r"\frac{a \quad b}{c}"]


def test_markup_in_a_formula_is_escaped() -> None:
    assert "<mo stretchy" not in to_mathml("a < b").split("&lt;")[0][-3:]
    assert "&lt;" in to_mathml("a < b")
    assert "&lt;script&gt;" in to_mathml(r"\text{<script>}")
