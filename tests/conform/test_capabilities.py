"""What a function does not have is not tested and said; what it has and gets wrong is a fault."""

from __future__ import annotations

import json
import math
import sys
import textwrap
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rlcalc.cli import main
from rlcalc.conform import conform
from rlcalc.conform.check import Request, check
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function
from rlcalc.errors import InputError, UnknownName
from tests.command import python
from tests.refused import refused

from . import losses, plain_targets, targets
from .as_it_stands import matched

pytestmark = pytest.mark.slow  # each a whole run of conform

LOOPS = ["discounted_return", "gae", "n_step_return", "lambda_return", "td_error"]
LACKING = {"batches", "per-step discounts"}


def report(function: Any, formula: str, **options: Any) -> ConformReport:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # of rlcalc's own none may reach a user
        return conform(function, formula, **options)


# what right functions lack


@pytest.mark.parametrize("name", LOOPS)
def test_textbook_loops_pass(name: str) -> None:
    found = report(getattr(plain_targets, name), name, random=60)
    assert found.verdict == "conforms", (found.failures[:1], found.found)
    assert found.not_tested[:2] == ["batches", "per-step discounts"]
    assert 30 < found.random <= 60  # a case that it has no place for is not counted


@pytest.mark.parametrize("option", ["batches", "per-step-discounts", "truncation,batches", "terminated"])
def test_what_is_required_must_be_there(option: str) -> None:
    found = report(plain_targets.gae, "gae", require=[option])
    assert found.verdict == "nonconforming"
    assert not found.passed
    assert found.notes[-1].startswith("Required, and not found: ")
    right = report(targets.right, "gae", require=[option])
    assert right.passed


def test_a_requirement_that_is_none() -> None:
    with refused(UnknownName, "unknown_requirement") as caught:
        conform(targets.right, "gae", require=["batch"])
    assert "batches" in caught.value.hint


@pytest.mark.parametrize(
    ("function", "formula", "conventions", "lacks"),
    [
        (plain_targets.returns_in_a_buffer, "discounted_return", [], {"per-step discounts"}),
        (plain_targets.only_lists, "discounted_return", [], LACKING),
        (plain_targets.returns_wanting_values, "discounted_return", [], LACKING),
        (plain_targets.tokens, "gae", ["no-bootstrap"], {"per-step discounts"}),
        (plain_targets.merged_flags_in_double, "gae", ["truncation-as-termination"], LACKING),
        (plain_targets.float32_buffer, "gae", ["truncation-as-termination"], LACKING),
        (plain_targets.raises_for_one_step, "gae", [], {*LACKING, "sequences of one step"}),
        (plain_targets.mean_squared, "critic_loss", ["mean-reduction", "mean-over-batch"], set()),
        (plain_targets.squared_each, "critic_loss", ["per-sample"], set()),
        (
            plain_targets.a_value_for_each,
            "critic_loss",
            ["mean-reduction", "mean-over-batch"],
            set(),
        ),
        (losses.one_sample, "ppo_clip", [], {"batches"}),
        (plain_targets.powers_of_the_discount, "discounted_return", [], LACKING),
        (plain_targets.squares_of_a_list, "critic_loss", ["mean-reduction"], {"batches"}),
        (plain_targets.step_of_a_value, "td_update", [], set()),
        (plain_targets.divergence_of_lists, "kl", [], {"batches"}),
    ],
)
def test_right_functions_of_less(
    function: Any, formula: str, conventions: list[str], lacks: set[str]
) -> None:
    found = report(function, formula, random=40)
    assert found.verdict.startswith("conforms"), (found.failures[:1], found.found)
    assert [c.name for c in found.conventions] == conventions
    assert lacks <= set(found.not_tested)
    assert not matched(found)


def test_the_arrays_that_it_takes_are_found() -> None:
    assert report(plain_targets.only_lists, "discounted_return").backend == "lists"
    torch = report(targets.masks_of_integers, "gae")
    assert torch.backend == "torch"
    assert torch.verdict == "conforms"
    assert report(targets.right, "gae", random=20).backend == "numpy"


# what is not excused


def test_a_batch_function_that_mixes_its_rows_is_told_so() -> None:
    found = report(plain_targets.group_of_all, "grpo_advantage")
    assert found.verdict == "nonconforming"
    assert matched(found) == ["statistics-over-whole-batch"]
    assert "batches" not in found.not_tested
    assert "All 12 vectors without batches pass; all that fail have batches." in found.notes


def returns_of_arrays(rewards, gamma):
    found, carried = [], 0.0
    for reward in rewards.reshape(-1)[::-1]:
        found.append(carried := reward + gamma * carried)
    return np.array(found[::-1]).reshape(rewards.shape)


def returns_of_tensors(rewards, gamma):
    import torch

    found, carried = [], 0.0
    for reward in rewards.reshape(-1).flip(0):
        found.append(carried := reward + gamma * carried)
    return torch.stack(found[::-1]).reshape(rewards.shape)


def lambda_return_from_the_last_value_of_all(rewards, values, gamma, lam):
    found, carried = np.zeros_like(rewards), values.reshape(-1)[-1]
    for t in reversed(range(rewards.shape[-1])):
        after = (1 - lam) * values[..., t + 1] + lam * carried
        found[..., t] = carried = rewards[..., t] + gamma * after
    return found


def softmax_of_all(x):
    weights = np.exp(x - x.max())
    return weights / weights.sum()


@pytest.mark.parametrize(
    ("function", "formula", "said"),
    [
        (returns_of_arrays, "discounted_return", "rows-mixed"),
        (returns_of_tensors, "discounted_return", "rows-mixed"),
        (lambda_return_from_the_last_value_of_all, "lambda_return", "rows-mixed"),
    ],
)
def test_who_answers_a_batch_in_its_shape_is_judged_by_it(function: Any, formula: str, said: str) -> None:
    pytest.importorskip("torch")
    found = report(function, formula, random=60)
    assert matched(found) == [said]
    assert any("--no-batch" in note for note in found.notes)
    assert conform(function, formula, batches=False, random=20).verdict == "conforms"


def test_a_textbook_softmax_of_one_row_is_right_and_what_it_does_with_several_is_said() -> None:
    found = report(softmax_of_all, "softmax")
    assert found.verdict == "conforms"
    assert "batches" in found.not_tested
    assert found.binding is not None
    assert "right for one row a call; what it gives for several at once is wrong" in found.binding.notes


@pytest.mark.parametrize("random", [0, 60])
def test_scrambled_rows_are_seen_where_no_vector_has_such_a_batch(random: int) -> None:
    found = report(plain_targets.rows_scrambled, "discounted_return", random=random)
    assert found.verdict == "nonconforming"
    assert matched(found) == ["rows-mixed"]


@pytest.mark.usefixtures("verdict_alone")
def test_discounts_given_to_the_wrong_steps_are_no_lack() -> None:
    found = report(plain_targets.discount_of_the_next_step, "gae")
    assert found.verdict == "nonconforming"
    assert "per-step discounts" not in found.not_tested
    assert any("all that fail have discounts per step" in note for note in found.notes)


def test_no_layout_hides_how_it_divides() -> None:
    for random in (0, 30):
        assert report(plain_targets.squares_of_one_less, "critic_loss", random=random).verdict != "conforms"
        assert not report(plain_targets.squares_of_one_less, "critic_loss", random=random).conventions


@pytest.mark.usefixtures("verdict_alone")
def test_one_that_knows_one_episode_is_told_so() -> None:
    found = report(plain_targets.one_episode, "gae")
    assert not found.passed
    assert any("ends before the last step" in note for note in found.notes)


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize("function", [plain_targets.almost, targets.slightly_off])
def test_a_small_error_is_no_rounding(function: Any) -> None:
    found = report(function, "gae", random=20)
    assert found.verdict == "nonconforming"
    assert not any("float32" in note for note in found.notes)


def test_faults_in_outputs_that_it_does_not_give_are_not_named() -> None:
    """Advantages alone, with one flag for both ends, judged as if that were not declared."""
    found = report(plain_targets.merged_flags_in_double, "gae", find=False)
    assert found.failures
    assert not any(name.startswith("returns-are") for name in matched(found))


def test_one_that_always_raises_shows_where_and_is_not_diagnosed() -> None:
    found = report(plain_targets.only_the_last_reward, "discounted_return", random=20)
    assert found.verdict == "raises"
    assert found.diagnosis is None
    outcome = found.failures[0].outcome
    assert outcome is not None
    assert "plain_targets.py:" in outcome.frames[-1]


def test_options_beside_do_not_hide_what_a_signature_lacks() -> None:
    with refused(InputError, "target_signature") as caught:
        conform(plain_targets.needs_a_name, "gae")
    assert "colour" in caught.value.message


def test_one_vector_of_many_proves_nothing() -> None:
    def with_all(rewards, values, gamma, lam, terminated):
        return targets.right(rewards, values, gamma, lam, terminated, terminated & False, values[..., 1:])

    known = conform(with_all, "gae").judgements
    few = [*(j.vector for j in known if j.status == "skipped"), known[0].vector][-11:]
    found = conform(with_all, "gae", vectors=few)
    assert found.verdict == "too-few-vectors"
    assert not found.passed
    assert any("too few to say" in note for note in found.notes)


def test_a_program_is_not_asked_for_what_it_refuses(tmp_path: Path) -> None:
    script = tmp_path / "returns.py"
    script.write_text(
        textwrap.dedent(
            """
            import json, sys
            for line in sys.stdin:
                case = json.loads(line)
                try:
                    rewards, gamma = case["given"]["rewards"], float(case["given"].get("gamma", 1))
                    if {"terminated", "truncated", "values", "bootstrap"} & case["given"].keys():
                        raise ValueError("rewards and gamma only")
                    found, later = [], 0.0
                    for reward in reversed(rewards):
                        later = reward + gamma * later
                        found.insert(0, later)
                    print(json.dumps({"answer": found}), flush=True)
                except Exception as error:
                    print(json.dumps({"error": str(error)}), flush=True)
            """
        )
    )
    request = Request(program=f"{sys.executable} {script}", formula="discounted_return", random=0)
    found = check(request).report
    assert {"batches", "per-step discounts"} <= set(found.not_tested)


# what the command line says


def test_the_command_line_says_what_was_not_tested(capsys: pytest.CaptureFixture[str]) -> None:
    place = f"{plain_targets.__file__}:discounted_return"
    code = main(["conform", place, "--formula", "discounted_return", "--random", "20"])
    text = capsys.readouterr().out
    assert code == 0
    assert "not tested: batches, per-step discounts" in text
    code = main(["conform", place, "--formula", "discounted_return", "--random", "20", "--json"])
    assert json.loads(capsys.readouterr().out)["not_tested"][:2] == ["batches", "per-step discounts"]
    code = main(["conform", place, "--formula", "discounted_return", "--random", "0", "--require", "batches"])
    assert code == 1


# compiled code


def test_the_first_call_of_compiled_code_may_take_its_time() -> None:
    """Marked as the compilers mark what they made; it is slow at first, and then within its limit."""
    started: list[float] = []

    def slow_at_first(rewards, values, gamma, lam):
        if len(started) < 2:
            started.append(time.monotonic())
            time.sleep(0.6)
        return targets.without_flags(rewards, values, gamma, lam)

    assert run(from_function(slow_at_first, limit=0.3), "gae").verdict == "hangs"
    started.clear()
    slow_at_first._torchdynamo_orig_callable = None
    assert run(from_function(slow_at_first, limit=0.3), "gae").verdict == "conforms"


def test_jax_is_wide_only_where_it_is_given_float64(tmp_path: Path) -> None:
    """Zeros without a dtype beside float32, as a user has them: float64 in a process that is told x64."""
    pytest.importorskip("jax")
    path = tmp_path / "scan.py"
    path.write_text(
        textwrap.dedent(
            """
            import jax, jax.numpy as jnp

            def returns(rewards, gamma):
                def step(later, reward):
                    more = lambda: reward + gamma * later
                    later = jax.lax.cond(reward == reward, more, lambda: jnp.zeros(()))
                    return later, later
                return jax.lax.scan(step, jnp.zeros(()), rewards, reverse=True)[1]
            """
        )
    )
    words = ["conform", f"{path}:returns", "--formula", "discounted_return"]
    done = python("-m", "rlcalc", *words, "--jax", "--random", "0", "--json")
    found = json.loads(done.stdout)
    assert found["verdict"] == "conforms", found["counterexample"]
    assert np.isfinite(found["digits"]["float32"])


# functions of single numbers


def pass_at(n, c, k) -> float:
    return 1.0 if n - c < k else 1.0 - math.comb(int(n - c), int(k)) / math.comb(int(n), int(k))


def penalty_with_floor(lengths, max_length, buffer):
    return np.clip((max_length - buffer - lengths) / buffer, -1.0, 0.0)


def next_coefficient(coef, kl, target, n_steps, horizon):
    return coef * (1 + max(-0.2, min(0.2, kl / target - 1)) * n_steps / horizon)


@pytest.mark.parametrize(
    ("function", "formula", "lacks"),
    [
        (next_coefficient, "adaptive_kl", "batches"),
        (pass_at, "pass_at_k", "batches"),
        (penalty_with_floor, "overlong_penalty", "floor"),
    ],
)
def test_what_a_function_has_no_place_for_is_no_fault(function: Any, formula: str, lacks: str) -> None:
    found = report(function, formula)
    assert (found.verdict, lacks in found.not_tested) == ("conforms", True)


@pytest.mark.parametrize("masks_by", ["multiplication", "choice"])
def test_a_value_behind_a_terminal_step_may_be_nan_where_that_is_required(masks_by: str) -> None:
    def td_error(rewards, values, gamma, terminated, next_values):
        kind = rewards.dtype
        after = (1 - terminated).astype(kind) * next_values
        if masks_by == "choice":
            after = np.where(terminated, 0, next_values).astype(kind)
        return rewards + gamma * after - values[..., :-1]

    assert report(td_error, "td_error").verdict == "conforms"
    found = report(td_error, "td_error", require=["nan-after-a-terminal-step"])
    assert found.passed is (masks_by == "choice")
    assert matched(found) == ["masked-by-multiplication"] * (masks_by == "multiplication")


def of_two_modes(loss, mask, mode: str, says: str = "unknown mode {}", divide: bool = False):
    sums, tokens = np.where(mask, loss, 0).sum(-1), mask.sum(-1)
    if mode == "token-mean":
        return sums.sum() / max(tokens.sum(), 1)
    if mode == "seq-mean-token-sum":
        return (sums / np.maximum(tokens, 1) if divide else sums).sum() / max((tokens > 0).sum(), 1)
    raise ValueError(says.format(mode))


def test_a_choice_that_is_refused_by_name_is_not_tested() -> None:
    def right(loss, mask, mode: str):
        return of_two_modes(loss, mask, mode)

    def wrong(loss, mask, mode: str):
        return of_two_modes(loss, mask, mode, divide=True)

    def crash(loss, mask, mode: str):
        return of_two_modes(loss, mask, mode, says="of another cause")

    found = report(right, "loss_aggregation")
    assert (found.verdict, "mode prompt-mean" in found.not_tested) == ("conforms", True)
    assert "mode seq-mean-token-sum" not in found.not_tested
    assert not report(right, "loss_aggregation", require=["mode-prompt-mean"]).passed
    assert matched(report(wrong, "loss_aggregation")) == ["mean-named-sum"]
    assert report(crash, "loss_aggregation").verdict == "raises"
