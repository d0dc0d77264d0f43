"""One number for a batch: found as a convention, never passed by broadcasting, diagnosed under it."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rlcalc.cli import main
from rlcalc.conform import conform
from rlcalc.conform.faults import catalogue
from rlcalc.conform.outcome import judge, read_answer, run_form
from rlcalc.conform.probing.batching import STACKED, stacked, with_batches
from rlcalc.conform.report.counterexample import counterexample
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function, load_target
from rlcalc.conform.trial import truth_under
from rlcalc.conform.vectors import Vector, golden_vectors, reference
from rlcalc.specs import load_formula
from rlcalc.testing import conformance_suite

from . import losses
from .as_it_stands import matched
from .printed import passes

pytestmark = pytest.mark.slow  # each a whole run of conform

FILE = Path(losses.__file__)
REDUCED = ("ppo_clip", "entropy", "kl")


def batches(formula: str) -> list[Vector]:
    return [v for v in with_batches(golden_vectors(formula)) if STACKED in v.id]


def names(function, formula: str = "ppo_clip", **options) -> list[str]:
    """Conventions under which a function conforms."""
    found = conform(function, formula, **options)
    assert found.verdict.startswith("conforms"), (found.failures[:1], found.found)
    return [c.name for c in found.conventions]


# the batches


@pytest.mark.parametrize("formula", REDUCED)
def test_batches_hold_certified_answers(formula: str) -> None:
    known = {json.dumps(dict(v.texts), sort_keys=True): v for v in golden_vectors(formula)}
    found = batches(formula)
    assert found
    assert {np.ndim(np.array(v.truth[next(iter(v.truth))], object)) for v in found} == {1, 2}
    assert len({v.id for v in found}) == len(found)
    for vector in found:
        answer = next(iter(vector.truth))
        rights = np.array(vector.truth[answer], object).ravel()
        assert len(rights) == len(vector.rows) >= 3
        for row, right in zip(vector.rows, rights, strict=True):
            assert known[json.dumps(row, sort_keys=True)].truth[answer] == right
        assert not judge(vector, run_form(reference(vector.formula), vector)).failed


def test_batches_are_the_same_every_time() -> None:
    one, two = stacked(golden_vectors("ppo_clip")), stacked(golden_vectors("ppo_clip"))
    assert [(v.id, v.truth) for v in one] == [(v.id, v.truth) for v in two]
    assert stacked([*golden_vectors("ppo_clip"), *one]) == ()


def test_only_formulas_with_a_reduction_are_stacked() -> None:
    assert with_batches(golden_vectors("ratio")) == golden_vectors("ratio")
    # without batches those that are certified as such are left out as well
    single = tuple(vector for vector in golden_vectors("ppo_clip") if not vector.rows)
    assert with_batches(golden_vectors("ppo_clip"), batches=False) == single
    declared = {
        name: {c.name for c in catalogue(name).conventions if c.reduces} for name in ("ratio", *REDUCED)
    }
    both = {"mean-over-batch", "sum-over-batch"}
    assert declared == {"ratio": set(), "ppo_clip": both, "entropy": both, "kl": both}


def test_no_huge_row_hides_the_others() -> None:
    for vector in batches("ppo_clip"):
        assert float(np.abs(vector.arrays["ratio"]).max()) < 1e4


# conventions


@pytest.mark.parametrize(
    ("function", "formula", "expected"),
    [
        (losses.elementwise, "ppo_clip", []),
        (losses.mean_objective, "ppo_clip", ["mean-over-batch"]),
        (losses.mean_loss, "ppo_clip", ["loss", "mean-over-batch"]),
        (losses.plain_float, "ppo_clip", ["loss", "mean-over-batch"]),
        (losses.log_loss_of_ratio, "ppo_clip", ["loss", "mean-over-batch"]),
        (losses.sum_loss, "ppo_clip", ["loss", "sum-over-batch"]),
        (losses.dual_clip_loss, "ppo_clip", ["loss", "dual-clip-3", "mean-over-batch"]),
        (losses.mean_entropy, "entropy", ["mean-over-batch"]),
        (losses.entropy_loss, "entropy", ["loss", "mean-over-batch"]),
        (losses.sum_of_divergences, "kl", ["sum-over-batch"]),
    ],
)
def test_conventions_are_found(function: Any, formula: str, expected: list[str]) -> None:
    assert names(function, formula, random=60) == expected
    declared = conform(function, formula, conventions=expected, random=60)
    assert declared.passed
    assert declared.random == 60


def test_torch() -> None:
    report = run(from_function(losses.torch_loss, backend="torch"), "ppo_clip", random=60)
    assert [c.name for c in report.conventions] == ["loss", "mean-over-batch"]


def test_log_probabilities_need_no_function_in_front() -> None:
    assert names(losses.log_loss, "ppo_clip") == names(losses.log_loss_of_ratio, "ppo_clip")


def test_the_order_of_declared_conventions_does_not_matter() -> None:
    """A mean of clipped samples, never a clip of means."""
    chosen = catalogue("ppo_clip").chosen(["mean-over-batch", "dual-clip-3", "loss"])
    vector = batches("ppo_clip")[0]
    one, two = truth_under(vector, chosen)[0], truth_under(vector, chosen[::-1])[0]
    got = losses.dual_clip_loss(*(vector.arrays[name] for name in ("ratio", "adv", "eps")))
    assert float(one["objective"]) == float(two["objective"]) == pytest.approx(float(got), rel=1e-12)


# what may never pass


def test_a_number_is_no_batch() -> None:
    """Even where broadcasting would find every entry equal."""
    vector = batches("ppo_clip")[0]
    flat = [Fraction(1)] * len(vector.rows)
    found = judge(vector, read_answer(vector, np.float64(1)), "float64", {"objective": flat})
    assert found.status == "wrong-shape"
    assert judge(vector, read_answer(vector, np.ones(1)), "float64", {"objective": flat}).failed
    # nor is a batch one number
    whole = {"objective": Fraction(1)}
    assert judge(vector, read_answer(vector, np.ones(len(flat))), "float64", whole).failed
    assert not judge(vector, read_answer(vector, np.float64(1)), "float64", whole).failed


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize("random", [0, 60])
@pytest.mark.parametrize(
    "function", [losses.first_of_the_batch, losses.divided_by_one_less, losses.mean_over_the_last_axis]
)
def test_right_for_one_sample_is_not_enough(function: Any, random: int) -> None:
    report = conform(function, "ppo_clip", random=random)
    assert not report.verdict.startswith("conforms")


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize("declared", [["loss"], ["mean-over-batch"], ["loss", "sum-over-batch"]])
def test_another_reduction_is_no_excuse(declared: list[str]) -> None:
    assert not conform(losses.mean_loss, "ppo_clip", conventions=declared).passed


def test_a_function_of_single_samples_says_so() -> None:
    whole = conform(losses.one_sample, "ppo_clip")
    assert whole.verdict == "conforms"
    assert any("single rows" in note for note in whole.notes)
    found = conform(losses.one_sample, "ppo_clip", batches=False, random=30)
    assert found.verdict == "wrong-dtype" or found.verdict == "conforms"


# faults under conventions


@pytest.mark.parametrize(
    ("name", "fault", "under"),
    [
        ("minimum_first", "minimum-before-the-product", ["loss", "mean-over-batch"]),
        ("minimum_first_sum", "minimum-before-the-product", ["loss", "sum-over-batch"]),
        ("clip_forgotten_dual", "clip-forgotten", ["loss", "dual-clip-3", "mean-over-batch"]),
    ],
)
def test_a_fault_in_a_reduced_loss_is_named(name: str, fault: str, under: list[str]) -> None:
    target = load_target(f"{FILE}:{name}")
    report = run(target, "ppo_clip", random=100)
    assert report.verdict == "nonconforming"
    assert report.conventions == ()
    (match,) = report.matches
    assert [f.name for f in match.faults] == [fault]
    assert [c.name for c in match.conventions] == under
    # only where it differs from a right loss is it the fault, not wherever a loss is no objective
    assert 2 <= len(match.shown) < match.compared / 2
    assert any("Counted and shown under" in note for note in report.notes)
    # the case shows the fault, not the sign
    example = counterexample(report, target)
    assert example is not None
    assert not example.exact
    assert float(example.expected) != pytest.approx(example.got)
    assert not passes(example.test)
    if "dual-clip-3" not in under:
        fixed = "mean_loss" if "mean-over-batch" in under else "sum_loss"
        assert passes(example.test.replace(f"under_test.{name}(", f"under_test.{fixed}("))


def test_a_fault_in_a_torch_loss_is_named() -> None:
    report = run(from_function(losses.minimum_first_torch, backend="torch"), "ppo_clip", random=20)
    assert matched(report)[0] == "minimum-before-the-product (under loss and mean-over-batch)"


@pytest.mark.usefixtures("verdict_alone")
def test_a_whole_batch_is_shown_where_one_number_is_wrong() -> None:
    target = load_target(f"{FILE}:divided_by_one_less")
    example = counterexample(run(target, "ppo_clip", ["loss", "mean-over-batch"], random=200), target)
    assert example is not None
    assert example.whole
    assert example.batch == (2,)
    assert sum(isinstance(value, list) for value in example.inputs.values()) >= 1
    example = counterexample(run(target, "ppo_clip", ["loss", "mean-over-batch"]), target)
    assert example is not None
    assert example.batch
    assert len(example.inputs["ratio"]) == example.batch[0]


def test_as_typed(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["conform", f"{FILE}:mean_loss", "--formula", "ppo_clip", "--random", "40"]
    assert main(words) == 1
    out, err = capsys.readouterr()
    assert "conforms to ppo_clip under convention loss and mean-over-batch" in " ".join(out.split())
    assert "--convention loss --convention mean-over-batch" in err
    assert main([*words, "--convention", "loss", "--convention", "mean-over-batch"]) == 0
    assert "40 generated cases, all passed" in capsys.readouterr().out
    assert main(["conform", f"{FILE}:minimum_first", "--formula", "ppo_clip", "--random", "40", "-v"]) == 1
    out, _ = capsys.readouterr()
    assert (
        "your ppo_clip matches known bug minimum-before-the-product (under loss and mean-over-batch)" in out
    )
    assert "right answer" in out


def test_suites_hold_the_batches_too() -> None:
    test = conformance_suite(losses.mean_loss, "ppo_clip", convention="loss", random=0)
    mark = next(m for m in test.pytestmark if m.name == "parametrize")
    stacks = [case.values for case in mark.args[1] if "stacked" in str(case.id)]
    assert len(stacks) == 2 * len(batches("ppo_clip"))
    with pytest.raises(AssertionError, match=r"has shape \[\], not \[12\]"):
        test(*stacks[0])


# declared, in two lines
test_declared = conformance_suite(
    losses.mean_loss, "ppo_clip", convention=["loss", "mean-over-batch"], dtypes=["float64"], random=20
)


def test_users_vectors_are_stacked_as_well(tmp_path: Path) -> None:
    from rlcalc.conform.vectors import vectors_of
    from rlcalc.data import data_folder

    path = tmp_path / "mine.toml"
    path.write_text((data_folder("golden") / "ppo_clip.toml").read_text("utf-8"))
    known = vectors_of("ppo_clip", [path])
    report = conform(losses.mean_loss, "ppo_clip", vectors=known)
    assert [c.name for c in report.conventions] == ["loss", "mean-over-batch"]
    assert load_formula("ppo_clip").name == report.formula
