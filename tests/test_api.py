"""The Python door: backend by type, dtype kept, shapes and domains checked, one declaration."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest
import torch

import rlcalc
from rlcalc.specs import formula_names, load_formula
from tests.command import python
from tests.refused import refused
from tests.sweep import in_one


def test_the_users_example() -> None:
    np.testing.assert_array_equal(rlcalc.lambda_return([1, 2, 3], lam=0.5), [2.75, 3.5, 3.0])
    assert str(rlcalc.derive("lambda_return", rewards=[1, 2, 3], lam="1/2").answer) == "11/4"
    assert str(rlcalc.derive("lambda-return", rewards=[1, 2, 3], lam=0.5).answer) == "11/4"


@pytest.mark.parametrize(
    ("kwargs", "code"),
    [
        ({"rewards": [1.0], "lam": 0.5, "values": [1.0]}, "values_wrong_length"),
        ({"rewards": [1.0], "lam": 1.5}, "lam_out_of_range"),
        ({"rewards": [1.0], "lam": float("nan")}, "number_not_finite"),
        ({"rewards": [1.0], "lam": np.array([0.1, 0.2])}, "lam_wrong_length"),
        ({"rewards": ["a"], "lam": 0.5}, "rewards_not_numeric"),
        ({"rewards": np.array([1j]), "lam": 0.5}, "rewards_not_numeric"),
        ({"rewards": torch.tensor([1j]), "lam": 0.5}, "rewards_not_numeric"),
        ({"rewards": [1.0], "lam": 0.5, "terminated": [0.5]}, "terminated_not_a_flag"),
        ({"rewards": [1.0], "lam": 0.5, "truncated": [float("nan")]}, "truncated_not_a_flag"),
        ({"rewards": [1.0], "lam": 0.5, "terminated": np.array([2])}, "terminated_not_a_flag"),
        ({"rewards": [1.0], "lam": 0.5, "terminated": np.array(["x"])}, "terminated_not_a_flag"),
        ({"rewards": torch.ones(2), "lam": 2.0}, "lam_out_of_range"),
        ({"rewards": torch.ones(2), "values": torch.ones(2), "lam": 0.5}, "values_wrong_length"),
    ],
)
def test_refusals(kwargs: dict[str, object], code: str) -> None:
    with refused(rlcalc.InputError, code) as caught:
        rlcalc.lambda_return(**kwargs)
    assert isinstance(caught.value, ValueError)


def test_unknown_and_missing_arguments() -> None:
    with pytest.raises(rlcalc.UnknownName, match="rewards"):
        rlcalc.lambda_return(reward=[1], lam=0.5)
    with pytest.raises(rlcalc.InputError, match="lam is missing"):
        rlcalc.lambda_return([1.0])
    with pytest.raises(TypeError, match="too many positional"):
        rlcalc.ppo_clip(1.0, 2.0, 0.2, 3.0)
    with pytest.raises(rlcalc.UnknownName, match="lambda-return"):
        rlcalc.derive("lambda-retrun")
    with pytest.raises(AttributeError):
        _ = rlcalc.no_such_formula


@in_one("name", formula_names())
def test_every_formula_has_a_documented_function(name: str) -> None:
    function = getattr(rlcalc, name)
    spec = load_formula(name)
    assert list(inspect.signature(function).parameters) == [p.name for p in spec.parameters]
    doc = inspect.getdoc(function) or ""
    for part in ("Args:", "Returns:", "Raises:", "Source:", *(p.name for p in spec.parameters)):
        assert part in doc
    assert name in dir(rlcalc)


def test_public_names() -> None:
    assert all(hasattr(rlcalc, name) for name in rlcalc.__all__)


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import rlcalc", {"numpy", "sympy", "torch", "matplotlib", "typer"}),
        ("import rlcalc; rlcalc.lambda_return([1.0, 2.0], lam=0.5)", {"torch", "sympy", "matplotlib"}),
        ("import rlcalc; rlcalc.derive('ppo_clip', ratio=1, adv=1).text()", {"torch", "matplotlib"}),
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(code: str, absent: set[str]) -> None:
    check = f"{code}\nimport sys\nprint(' '.join(m for m in {sorted(absent)!r} if m in sys.modules))"
    done = python("-c", check)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_a_vector_where_a_matrix_stands_is_its_one_row() -> None:
    np.testing.assert_allclose(rlcalc.policy_gradient("bandit", [0, 0]), [[2.5, -2.5]])
    theta = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    rlcalc.policy_gradient("bandit", theta).sum().backward()
    assert theta.grad is not None
    np.testing.assert_allclose(rlcalc.policy_eval("bandit", [0.75, 0.25], gamma=1), [7.5, 0])


def test_a_single_number_does_not_widen_an_array() -> None:
    rewards = np.ones(3, np.float32)
    assert rlcalc.gae(rewards, gamma=np.float64(0.9)).dtype == np.float32
    assert rlcalc.gae(rewards, gamma=np.full(3, 0.9)).dtype == np.float64
    tensor = torch.ones(3)
    assert rlcalc.gae(tensor, gamma=torch.tensor(0.9, dtype=torch.float64)).dtype == torch.float32
    assert rlcalc.ppo_clip(np.float32(1.5), np.float32(5)).dtype == np.float32


@pytest.mark.parametrize("n", ["inf", float("inf"), np.int64(2), 2])
def test_counts_may_be_infinite_in_word_and_number(n: object) -> None:
    # 2 + 0.9·3 + 0.81·10
    assert rlcalc.n_step_return([2, 3], [5, 8, 10], gamma=0.9, n=n)[0] == pytest.approx(12.8)


@pytest.mark.parametrize("n", ["2", float("nan"), [2], True, 1.5, -0.5])
def test_counts_are_whole_numbers(n: object) -> None:
    with refused(rlcalc.InputError, "n_not_an_integer"):
        rlcalc.n_step_return([2, 3], [5, 8, 10], gamma=0.9, n=n)


def test_numbers_that_are_no_distribution_are_refused() -> None:
    with refused(rlcalc.InputError, "p_not_a_distribution", r"sum to 1\.1"):
        rlcalc.entropy([0.5, 0.6])
    # rounding is none of the caller's fault
    many = np.random.default_rng(0).random((4, 50_000)).astype(np.float32)
    assert np.isfinite(rlcalc.entropy(many / many.sum(-1, keepdims=True))).all()
    assert np.isfinite(rlcalc.entropy(np.full(3, 1 / 3, np.float16)))


def test_errors_cross_to_another_process() -> None:
    import pickle

    error = rlcalc.UnknownName("unknown_backend", "There is no backend 'x'.", "Use numpy.")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is rlcalc.UnknownName
    assert (again.code, again.message, again.hint) == (error.code, error.message, error.hint)


@pytest.mark.parametrize("flags", [[False, True], [0, 1], [0.0, 1.0], np.array([False, True], object)])
def test_flags_may_be_spelt_in_every_kind_of_number(flags: object) -> None:
    # the second step ends the episode: its bootstrap of 5 is not counted
    assert rlcalc.gae([1, 2], [0, 0, 5], gamma=1, lam=1, terminated=flags).tolist() == [3.0, 2.0]


def test_the_stub_is_current() -> None:
    from rlcalc._stubs import FILE, stub

    assert FILE.read_text("utf-8") == stub(), "python -m rlcalc._stubs writes it again"


@pytest.mark.slow
def test_a_type_checker_sees_every_signature(tmp_path: Path) -> None:
    source = tmp_path / "user.py"
    source.write_text(
        "import rlcalc\n"
        "rlcalc.gae([1, 2], lam=0.5)\n"
        "rlcalc.entropy([0.5, 0.5], base='e')\n"
        "rlcalc.gaee(foo=3)\n"
        "rlcalc.gae([1, 2], foo=3)\n"
        "rlcalc.actor_loss([0.5], [1.0], reduction='average')\n"
    )
    found = python("-m", "mypy", "--strict", "--no-error-summary", source.name, cwd=tmp_path)
    lines = [int(line.split(":")[1]) for line in found.stdout.splitlines() if "error:" in line]
    assert lines == [4, 5, 6], found.stdout + found.stderr
