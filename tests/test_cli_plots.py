"""Pictures: what is drawn, into which files, and what is refused."""

from __future__ import annotations

import os
import shlex
from fractions import Fraction

import pytest

from rlcalc import plotting
from rlcalc.cli import plots
from rlcalc.heads import heads
from rlcalc.specs import load_formula
from tests.command import run

pytest.importorskip("matplotlib")

CLIP = ["ppo-clip", "--ratio", "1.5", "--adv", "5", "-q", "--plot"]


@pytest.mark.parametrize(
    ("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89PNG")]
)
def test_files(tmp_path, suffix, magic):
    target = tmp_path / f"p{suffix}"
    target.write_text("old")
    assert run(*CLIP, str(target)) == (0, "6\n", f"note: The plot is in {target}.\n")
    assert target.read_bytes().startswith(magic)
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


def test_a_link_is_followed(tmp_path):
    (tmp_path / "real.png").write_text("old")
    os.symlink("real.png", tmp_path / "link.png")
    assert run(*CLIP, str(tmp_path / "link.png"))[0] == 0
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("p.jpg", "the suffix '.jpg'; it takes .png, .svg, .pdf.\n"),
        ("p", "no suffix"),
        ("none/p.png", "no folder none"),
        ("d.png", "is a folder"),
    ],
)
def test_refused_files(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.png").mkdir()
    code, out, err = run(*CLIP, name)
    assert (code, out) == (2, "")
    assert message in err


def test_without_matplotlib(monkeypatch):
    monkeypatch.setattr(plotting, "find_spec", lambda name: None)
    code, _, err = run(*CLIP, "p.png")
    assert code == 2
    assert "pip install 'rlcalc[plot]'" in err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["ppo-clip", "--ratio", "r", "--adv", "5"], "r is left as a symbol"),
        (["n-step", "--rewards", "1", "--gamma", "g", "--n", "1"], "g is left as a symbol"),
        (["kl", "--p", "1/2", "1/2", "--q", "1", "0"], "the divergence is infinite"),
    ],
)
def test_what_cannot_be_drawn_is_refused_before_anything_is_printed(tmp_path, words, reason):
    code, out, err = run(*words, "--plot", str(tmp_path / "p.png"))
    assert (code, out) == (2, "")
    assert reason in err.lower()
    assert not list(tmp_path.iterdir())


def test_a_failed_drawing_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "p.png"
    target.write_text("old")

    def broken(*_args, **_more):
        raise OSError(28, "No space left on device")

    from matplotlib.figure import Figure

    monkeypatch.setattr(Figure, "savefig", broken)
    assert run(*CLIP, str(target))[0] == 2
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["p.png"]


def drawn(name, **raw):
    """The axes of one picture, each with its labels."""
    from rlcalc.evaluation import evaluate

    panels, function = plots.DRAW[load_formula(name).plot]
    _, axes = plotting.new_figure(panels)
    function(*axes, evaluate(name, raw))
    assert axes[0].get_title() or axes[0].figure.get_suptitle()
    assert axes[-1].get_xlabel()
    assert all(one.get_ylabel() for one in axes)
    assert any(one.get_legend_handles_labels()[1] for one in axes)
    return axes if panels > 1 else axes[0]


def heights(axes):
    return [bar.get_height() for bar in axes.patches]


@pytest.mark.slow
def test_every_picture_of_a_specification_is_drawn(tmp_path):
    for head in heads():
        spec = load_formula(head.name)
        if spec.plot:
            example = next(
                e
                for e in spec.examples
                if not any(w.isalpha() and len(w) == 1 for w in shlex.split(e["args"])[1:2])
            )
            target = tmp_path / f"{head.name}.svg"
            words = [*shlex.split(example["args"]), "-q", "--plot", str(target)]
            assert run(head.command, *words)[0] == 0
            assert target.stat().st_size > 5000


def test_clip_passes_through_the_point():
    axes = drawn("ppo_clip", ratio="1.5", adv="5")
    straight, up, _, down, _, point = axes.get_lines()
    assert straight.get_ydata()[-1] == 10  # r·A at r = 2
    assert list(zip(up.get_xdata(), up.get_ydata(), strict=True))[1:3] == [(0.8, 4.0), (1.2, 6.0)]
    assert down.get_ydata()[-1] == -10
    assert point.get_xydata().tolist() == [[1.5, 6.0]]
    for adv, eps, ratio in (("0", "0.2", "1"), ("-3", "0.99", "30"), ("1e-9", "0.001", "0.001")):
        drawn("ppo_clip", ratio=ratio, adv=adv, eps=eps)


def test_weights_sum_to_one():
    for lam, steps in (("0.7", "5"), ("1", "3"), ("0", "1")):
        found = heights(drawn("lambda_weights", lam=lam, steps=steps))
        assert sum(found) == pytest.approx(1)
        assert len(found) == int(steps)
    assert "infinitely many" in drawn("lambda_weights", lam="0.7", steps="inf").get_xlabel()


def test_the_highest_of_many_weights_is_seen():
    # a bar of one in a thousand was thinner than a pixel: the picture began at 1/16
    axes = drawn("lambda_weights", lam="1/2", steps="1000")
    # 2^-n falls under a thousandth of 1/2 after n = 10
    assert heights(axes) == [2.0**-n for n in range(1, 11)]
    assert axes.get_xlabel().endswith("the first 10 of 1000")


def test_many_weights_that_matter_are_one_outline():
    axes = drawn("lambda_weights", lam="0.99", steps="200")
    # 0.99^199 = 0.135… of all is left for the last
    assert axes.patches[-1].get_height() == pytest.approx(0.99**199)
    assert "of 200" not in axes.get_xlabel()


def test_n_step_returns_by_their_definition():
    rewards, values, gamma = [2, 3, -1], [5, 8, 10, 4], Fraction(9, 10)
    axes = drawn("n_step_return", rewards=rewards, values=values, gamma=str(gamma), n=2)
    parts = [sum(gamma**k * r for k, r in enumerate(rewards[:n])) for n in (1, 2, 3)]
    bootstraps = [gamma**n * values[n] for n in (1, 2, 3)]
    assert heights(axes) == pytest.approx([float(x) for x in (*parts, *bootstraps)])
    totals, chosen = axes.get_lines()[:2]
    sums = [float(a + b) for a, b in zip(parts, bootstraps, strict=True)]
    assert list(totals.get_ydata()) == pytest.approx(sums)
    assert chosen.get_xydata().tolist() == [[2, pytest.approx(sums[1])]]
    # after the end of an episode nothing is added
    ended = drawn(
        "n_step_return", rewards=rewards, values=values, gamma=str(gamma), n="inf", terminated=[1, 0, 0]
    )
    assert list(ended.get_lines()[0].get_ydata()) == [2, 2, 2]


def test_the_shares_of_an_advantage_sum_to_it():
    rewards, values, gamma, lam = [1, 2, 3, 1], [1, 0, 2, 1, 0], 0.9, 0.5
    for extra in ({}, {"terminated": [0, 1, 0, 0]}, {"truncated": [0, 1, 0, 0], "next_values": [0, 7, 1, 0]}):
        upper, lower = drawn("gae", rewards=rewards, values=values, gamma=gamma, lam=lam, **extra)
        deltas, advantages = heights(upper)[:4], heights(upper)[4:]
        assert sum(heights(lower)) == pytest.approx(advantages[0])
        assert deltas[0] == pytest.approx(1 + 0.9 * 0 - 1)
        if not extra:
            assert heights(lower) == pytest.approx([(gamma * lam) ** t * d for t, d in enumerate(deltas)])


def test_the_shares_of_a_divergence_sum_to_it():
    import math

    upper, lower = drawn("kl", p=["1/2", "1/2", "0"], q=["1/4", "1/2", "1/4"])
    assert heights(upper) == [0.5, 0.5, 0, 0.25, 0.5, 0.25]
    assert heights(lower) == pytest.approx([0.5 * math.log(2), 0, 0])
    assert "0.3466" in upper.get_title()


def test_the_best_actions_are_framed():
    axes, below = drawn("bellman", mdp="robot", gamma="0.9")
    texts = [text.get_text() for text in axes.texts]
    # 5000/59 and 4500/59 are the best values; a charged robot cannot recharge
    assert texts == ["84.75", "79.27", "75.96", "71.64", "76.27"]
    frames = sorted(
        (round(line.get_ydata().mean()), round(line.get_xdata()[:2].mean())) for line in axes.get_lines()
    )
    assert frames == [(0, 0), (1, 2)]  # search; recharge
    curves = {line.get_label(): line for line in below.get_lines() if not line.get_label().startswith("_")}
    assert set(curves) == {"high", "low"}
    # without a future searching pays 10, and 7/2 when low
    assert [curves[name].get_ydata()[0] for name in ("high", "low")] == [10, 3.5]


def test_a_grid_has_its_values_and_an_arrow_for_every_best_move():
    axes, below = drawn("bellman", mdp="grid4x4", gamma="1")
    texts = [text.get_text() for text in axes.texts if text.get_text()]
    assert texts[:4] == ["end", "−1", "−2", "−3"]
    arrows = [text for text in axes.texts if not text.get_text()]
    # two or four ways are as short in the cells off the edges: 4 cells with one, see figure 4.1 of the book
    best = {"1": 1, "2": 1, "3": 2, "4": 1, "5": 2, "6": 4, "7": 1, "8": 1, "9": 4, "10": 2, "11": 1, "12": 2}
    assert len(arrows) == sum(best.values()) + 2  # cells 13 and 14 have one each
    assert below.get_xlabel() == "discount γ; here 1"


def test_arrows_show_where_the_gradient_moves_the_policy():
    axes = drawn("policy_gradient", mdp="bandit", theta=[["log(3)", "0"]], gamma="1")
    # π = 3/4 and 1/4; ∂J/∂θ = ±3/4·1/4·10
    assert heights(axes) == pytest.approx([0.75, 0.25])
    arrows = [text for text in axes.texts if not text.get_text()]
    assert [arrow.xy[1] for arrow in arrows] == pytest.approx([0.75 + 0.3, 0.25 - 0.3])
    assert [text.get_text() for text in axes.texts if text.get_text()] == ["1.9", "−1.9"]
    axes = drawn("policy_gradient", mdp="grid2x2", theta=[["0"] * 4] * 3, gamma="1/2", horizon=2)
    assert [label.get_text() for label in axes.get_xticklabels()][2::4] == [
        f"L\n({s})" for s in ("0,0", "0,1", "1,0")
    ]


def points(line):
    return dict(zip(line.get_xdata().tolist(), line.get_ydata().tolist(), strict=True))


def test_pictures_of_training_pass_through_known_points():
    upper, lower = drawn("group_advantage", rewards=[1, 0, 0, 0], groups=[0, 0, 0, 0])
    grpo, dr_grpo, rloo, mean = upper.get_lines()[:4]
    assert points(dr_grpo)[0.25] == pytest.approx(3 / 4)
    assert points(rloo)[0.25] == pytest.approx(1)
    assert points(mean)[0.25] == pytest.approx(3)
    assert points(grpo)[0.5] == pytest.approx(3**0.5 / 2)
    assert points(lower.get_lines()[1])[0.75] == pytest.approx(-3 / 4)
    axes = drawn("loss_aggregation", loss=[["1", "2"], ["3", "0"]], mask=[[1, 1], [1, 0]])
    token, *_, prompts = axes.get_lines()
    assert list(token.get_ydata()) == pytest.approx([1 / 3, 1 / 3])
    assert list(prompts.get_ydata()) == pytest.approx([1 / 2, 1 / 4])  # the shorter answer first
    upper, lower = drawn("policy_clip", logp=["log(3/4)"], old_logp=["log(1/2)"], adv=["-2"], dual="2")
    assert upper.get_lines()[-2].get_xydata().tolist() == [[pytest.approx(1.5), pytest.approx(-1.5)]]
    held = lower.get_lines()[3]
    assert held.get_ydata()[-1] == 0  # beyond the dual clip
    upper, lower = drawn(
        "dpo_loss", chosen=["-2"], rejected=["-4"], ref_chosen=["-3"], ref_rejected=["-4"], beta="1/2"
    )
    assert upper.get_lines()[3].get_xdata() == [1.0]
    middle = lower.get_lines()[0]
    assert middle.get_ydata()[200] == pytest.approx(-1 / 4)  # −β/2 at a margin of 0
    upper, lower = drawn("kl_estimate", logp=["-1"], ref_logp=["-2"])
    biases = [line for line in lower.get_lines() if str(line.get_label()).startswith("bias")]
    assert max(abs(biases[0].get_ydata())) < 1e-12
    assert max(abs(biases[2].get_ydata())) < 1e-12
    assert max(abs(biases[1].get_ydata())) > 0.1
