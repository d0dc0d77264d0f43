"""Pictures: what is drawn, into which files, and what is refused."""

from __future__ import annotations

from fractions import Fraction

import pytest

import rlcalc.cli.plots as plots
from rlcalc.cli import main
from rlcalc.specs import formula_names

CLIP = ["ppo-clip", "--ratio", "1.5", "--adv", "5", "-q", "--plot"]


def test_the_chain_of_the_lecture():
    bias, variance = plots.chain_bias_and_variance(Fraction(9, 10))
    assert bias == [Fraction(9, 10), Fraction(81, 100), Fraction(729, 1000), 0]
    assert variance == [1, Fraction(181, 100), Fraction(24661, 10000), Fraction(2997541, 1000000)]


def test_the_chain_by_enumeration():
    from itertools import product

    gamma = Fraction(2, 3)
    for n, (bias, variance) in enumerate(zip(*plots.chain_bias_and_variance(gamma), strict=True), start=1):
        value = 1 if n < plots.CHAIN_STEPS else 0
        returns = [
            sum(gamma**k * r for k, r in enumerate(rewards)) + gamma**n * value
            for rewards in product((-1, 1), repeat=n)
        ]
        mean = Fraction(sum(returns), len(returns))
        assert mean == bias
        assert sum((g - mean) ** 2 for g in returns) / len(returns) == variance


@pytest.mark.parametrize(
    ("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89PNG")]
)
def test_files(capsys, tmp_path, suffix, magic):
    pytest.importorskip("matplotlib")
    target = tmp_path / f"p{suffix}"
    target.write_text("old")
    assert main([*CLIP, str(target)]) == 0
    out, err = capsys.readouterr()
    assert out == "6\n"
    assert err.startswith("note: The plot is in ")
    assert target.read_bytes().startswith(magic)
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("p.jpg", "the suffix '.jpg'"),
        ("p", "no suffix"),
        ("none/p.png", "no folder none"),
        ("d.png", "is a folder"),
    ],
)
def test_refused_files(capsys, tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.png").mkdir()
    assert main([*CLIP, name]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err


def test_without_matplotlib(capsys, monkeypatch):
    monkeypatch.setattr(plots, "find_spec", lambda name: None)
    assert main([*CLIP, "p.png"]) == 2
    assert "pip install 'rlcalc[plot]'" in capsys.readouterr().err


def test_symbols_cannot_be_drawn(capsys, tmp_path):
    pytest.importorskip("matplotlib")
    assert main(["ppo-clip", "--ratio", "r", "--adv", "5", "--plot", str(tmp_path / "p.png")]) == 2
    assert "r is left as a symbol" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_failed_drawing_leaves_the_old_file(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    target = tmp_path / "p.png"
    target.write_text("old")

    def broken(*_args, **_more):
        raise OSError(28, "No space left on device")

    from matplotlib.figure import Figure

    monkeypatch.setattr(Figure, "savefig", broken)
    assert main([*CLIP, str(target)]) == 2
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["p.png"]


def drawn(name, raw, function):
    from matplotlib.figure import Figure

    from rlcalc.evaluation import evaluate

    axes = Figure().add_subplot()
    function(axes, evaluate(name, raw))
    assert axes.get_xlabel()
    assert axes.get_ylabel()
    assert axes.get_legend_handles_labels()[1]
    return axes


def test_clip_passes_through_the_point():
    pytest.importorskip("matplotlib")
    axes = drawn("ppo_clip", {"ratio": "1.5", "adv": "5"}, plots.ppo_clip)
    up, down, _, point = axes.get_lines()
    assert list(zip(up.get_xdata(), up.get_ydata(), strict=True))[1:3] == [(0.8, 4.0), (1.2, 6.0)]
    assert down.get_ydata()[-1] == -10
    assert point.get_xydata().tolist() == [[1.5, 6.0]]
    for adv, eps, ratio in (("0", "0.2", "1"), ("-3", "0.99", "30"), ("1e-9", "0.001", "0.001")):
        drawn("ppo_clip", {"ratio": ratio, "adv": adv, "eps": eps}, plots.ppo_clip)


def test_weights_sum_to_one():
    pytest.importorskip("matplotlib")
    if "lambda_weights" not in formula_names():
        pytest.skip("needs lambda-weights")
    for raw in ({"lam": "0.7", "steps": "5"}, {"lam": "1", "steps": "3"}, {"lam": "0", "steps": "1"}):
        axes = drawn("lambda_weights", raw, plots.lambda_weights)
        assert sum(bar.get_height() for bar in axes.patches) == pytest.approx(1)
        assert len(axes.patches) == int(raw["steps"])
    axes = drawn("lambda_weights", {"lam": "0.7", "steps": "inf"}, plots.lambda_weights)
    assert "infinitely many" in axes.get_xlabel()


def test_bias_and_variance_bars():
    pytest.importorskip("matplotlib")
    axes = drawn("lambda_return", {"rewards": ["1"], "lam": "1", "gamma": "0.9"}, plots.n_step)
    assert [round(bar.get_height(), 7) for bar in axes.patches] == [
        0.9,
        0.81,
        0.729,
        0,
        1,
        1.81,
        2.4661,
        2.997541,
    ]


def test_the_highest_of_many_weights_is_seen():
    pytest.importorskip("matplotlib")
    # a bar of one in a thousand was thinner than a pixel: the picture began at 1/16
    axes = drawn("lambda_weights", {"lam": "1/2", "steps": "1000"}, plots.lambda_weights)
    heights = [patch.get_height() for patch in axes.patches]
    # 2^-n falls under a thousandth of 1/2 after n = 10
    assert heights == [2.0**-n for n in range(1, 11)]
    assert axes.get_xlabel().endswith("the first 10 of 1000")


def test_many_weights_that_matter_are_one_outline():
    pytest.importorskip("matplotlib")
    axes = drawn("lambda_weights", {"lam": "0.99", "steps": "200"}, plots.lambda_weights)
    # 0.99^199 = 0.135… of all is left for the last
    assert axes.patches[-1].get_height() == pytest.approx(0.99**199)
    assert "of 200" not in axes.get_xlabel()


def test_a_picture_of_something_else_says_so(capsys, tmp_path):
    words = ["n-step", "--rewards", "1", "2", "--gamma", "0.9", "--n", "1", "--plot", str(tmp_path / "a.svg")]
    assert main(words) == 0
    assert "rewards and values play no part" in capsys.readouterr().err
