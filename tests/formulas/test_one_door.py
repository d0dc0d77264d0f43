"""What the exact door refuses, the numeric door refuses with the same code; what arrays alone get wrong."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import islice, product
from typing import Any

import numpy as np
import pytest
import torch

import rlcalc
from rlcalc.evaluation import checked
from rlcalc.exact import parse_number, to_float
from rlcalc.golden.files import shipped
from rlcalc.nested import map_nested
from rlcalc.specs import Parameter, formula_names, load_formula
from tests.refused import refused

# the grammar's own refusals: a number has been read already
OF_TEXT = {"division_by_zero", "number_too_large", "symbol_not_allowed", "unknown_name"}
# inside the domain once it is rounded to a float
ROUNDED_AWAY = {"lambda_return/lam-just-above-one"}
# an unbounded input hands nan and infinity on
HANDED_ON = {
    "advantage/infinite-return",
    "baseline_variance/infinite-baseline",
    "lambda_return/reward-nan",
    "softmax/infinite",
    "softmax/not-a-number",
    "td_update/not-finite",
}


def python_value(parameter: Parameter, raw: Any) -> Any:
    """A golden input as a caller of Python has it: numbers as floats, integers as int."""
    words = parameter.policy and any(isinstance(entry, str) and entry.isalpha() for entry in raw)
    if parameter.kind in ("mdp", "word", "choice") or parameter.is_text or words:
        return raw

    def one(entry: Any) -> Any:
        if entry in ("nan", "inf") or (isinstance(entry, str) and entry in parameter.choices):
            return float(entry) if entry in ("nan", "inf") else entry
        number = Fraction(entry) if isinstance(entry, int) else parse_number(entry)
        whole = parameter.kind != "number" and isinstance(number, Fraction) and number.denominator == 1
        return int(number) if whole else to_float(number)

    return map_nested(one, raw)


def arrays(formula: str, given: dict[str, Any], make: Callable[[Parameter, Any], Any]) -> dict[str, Any]:
    known = {p.name: p for p in load_formula(formula).parameters}
    return {
        name: make(known[name], python_value(known[name], raw)) if name in known else raw
        for name, raw in given.items()
    }


def as_array(parameter: Parameter, value: Any) -> Any:
    array = np.asarray(value)
    numeric = parameter.kind in ("number", "flag", "integer") and array.dtype.kind != "U"
    return array if numeric and not parameter.is_switch else value


def as_tensor(parameter: Parameter, value: Any) -> Any:
    array = as_array(parameter, value)
    if not isinstance(array, np.ndarray):
        return array
    return torch.as_tensor(array, dtype=torch.float64 if parameter.kind == "number" else None)


def as_list(parameter: Parameter, value: Any) -> Any:
    return value


@pytest.mark.parametrize("formula", formula_names())
def test_every_golden_refusal_has_its_code(formula: str) -> None:
    refused = [c for c in shipped(formula).cases if c.result == "invalid" and c.error not in OF_TEXT]
    for case, make in product(refused, (as_list, as_array, as_tensor)):
        where = f"{case.id} {make.__name__}"
        given = arrays(formula, case.given, make)
        if case.id in HANDED_ON:
            found = rlcalc.compute(formula, **given)
            assert any(not np.all(np.isfinite(np.asarray(value))) for value in found.values()), where
        elif case.id in ROUNDED_AWAY:
            rlcalc.compute(formula, **given)
        else:
            with pytest.raises(rlcalc.InputError) as caught:
                pytest.fail(f"{where} is accepted: {rlcalc.compute(formula, **given)}")
            assert caught.value.code == case.error, where
            assert "--" not in str(caught.value), where
            assert not re.search(r"\bNone\b", f"{caught.value.message} {caught.value.hint}"), where
            assert "rlcalc " + load_formula(formula).command not in str(caught.value), where


def of_a_batch(formula: str, good: dict[str, Any], bad: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Both as rows of a batch, the bad one last and first, where they differ in nothing that has no rows."""
    known = {p.name: p for p in load_formula(formula).parameters}
    if good.keys() != bad.keys() or not bad.keys() <= known.keys():
        return
    for order in (slice(None), slice(None, None, -1)):
        rows, differ = {}, False
        for name, p in known.items():
            if name not in bad:
                continue
            pair = [as_array(p, python_value(p, given[name])) for given in (good, bad)][order]
            arrays = isinstance(pair[0], np.ndarray) and isinstance(pair[1], np.ndarray)
            if arrays and not p.single and pair[0].shape == pair[1].shape:
                rows[name] = np.stack(pair)
                differ |= bool((pair[0] != pair[1]).any())
            elif np.asarray(pair[0]).dtype.kind == np.asarray(pair[1]).dtype.kind and np.array_equal(*pair):
                rows[name] = pair[0]
            else:
                return
        if differ:
            yield rows


def test_one_bad_row_of_a_batch_is_refused_wherever_it_stands() -> None:
    """Beside a row that is accepted alone, by the code that it has alone, in NumPy and in Torch."""
    tried = set()
    for formula in formula_names():
        cases = [case for case in shipped(formula).cases if not case.batch]
        good = [
            case
            for case in cases
            if case.result != "invalid" and not checked(load_formula(formula), case.given).symbols
        ]
        for case in cases:
            if case.result != "invalid" or case.error in OF_TEXT or case.id in ROUNDED_AWAY | HANDED_ON:
                continue
            batches = (rows for one in good for rows in of_a_batch(formula, one.given, case.given))
            for rows, make in product(islice(batches, 2), (np.asarray, torch.as_tensor)):
                tried.add(case.id)
                given = {name: make(x) if isinstance(x, np.ndarray) else x for name, x in rows.items()}
                with pytest.raises(rlcalc.InputError) as caught:
                    pytest.fail(f"{case.id} {make.__name__} is accepted: {rlcalc.compute(formula, **given)}")
                assert caught.value.code == case.error, f"{case.id} {make.__name__}"
    assert len(tried) >= 40, sorted(tried)


# what only arrays can be


@pytest.mark.parametrize(
    "rewards",
    [
        np.ma.masked_array([1.0, 100.0, 3.0], mask=[0, 1, 0]),
        [np.ma.masked_array([1.0, 2.0], mask=[0, 1])],
        np.array([(1,), (2,)], dtype=[("a", "f8")]),
        np.array(["2026-01-01", "2026-01-02"], dtype="datetime64[D]"),
        np.array([1, 2], dtype="timedelta64[s]"),
        np.array(["1", "2"]),
        ["1", "2"],
        [1, None, 3],
        np.array([b"1"]),
        [10**400, 1],
        {"a": 1},
        "1 2 3",
    ],
    ids=str,
)
def test_what_is_no_array_of_numbers_is_refused(rewards: Any) -> None:
    for other in (np.zeros(1), torch.zeros(1)):
        with refused(rlcalc.InputError, "rewards_not_numeric"):
            rlcalc.discounted_return(rewards, bootstrap=other[0])


@pytest.mark.parametrize(
    "rewards",
    [
        np.ma.masked_array([1.0, 100.0, 3.0], mask=[0, 1, 0]),
        np.array([(1,), (2,)], dtype=[("a", "f8")]),
        np.array(["2026-01-01", "2026-01-02"], dtype="datetime64[D]"),
    ],
    ids=["masked", "records", "dates"],
)
def test_the_exact_door_takes_no_such_array_either(rewards: Any) -> None:
    with refused(rlcalc.InputError, "rewards_not_numeric"):
        rlcalc.derive("discounted_return", rewards=rewards)


@pytest.mark.parametrize(
    "rewards",
    [
        [Fraction(1, 2), Decimal("1.5")],
        np.ma.masked_array([0.5, 1.5], mask=[0, 0]),
        (0.5, 1.5),
        np.array([1.5, 0.5])[::-1],
        np.float32([0.5, 1.5]),
    ],
    ids=str,
)
def test_what_is_one_is_taken_by_both_libraries(rewards: Any) -> None:
    assert rlcalc.discounted_return(rewards).tolist() == [2, 1.5]
    assert rlcalc.discounted_return(rewards, bootstrap=torch.tensor(0.0)).tolist() == [2, 1.5]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("make", [lambda x: x, np.asarray, torch.tensor], ids=["number", "array", "tensor"])
def test_a_bounded_input_is_finite(make: Callable[[float], Any], bad: float) -> None:
    with refused(rlcalc.InputError, "number_not_finite"):
        rlcalc.ppo_clip(make(bad), make(1.0))


def test_nan_under_a_flag_changes_nothing() -> None:
    for make in (np.asarray, torch.tensor):
        found = rlcalc.gae(
            make([1.0, 2.0]), next_values=make([float("nan"), 0.0]), terminated=make([True, False])
        )
        assert found.tolist() == [1.0, 2.0]


def test_no_warning_escapes() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rlcalc.ratio(new_log=0.0, old_log=-1000.0) == float("inf")
        assert rlcalc.ratio(new=0.0, old=0.5) == 0
        rlcalc.discounted_return(np.array([1e308, 1e308]), bootstrap=1e308)
        rlcalc.discounted_return(np.float16([6e4, 6e4]))


# where values are not looked at


def test_a_tensor_is_checked_where_looking_is_free() -> None:
    probabilities = torch.full((3,), -7.0)
    with refused(rlcalc.InputError, "p_not_a_distribution"):
        rlcalc.entropy(probabilities)
    with refused(rlcalc.InputError, "p_not_a_distribution"):
        rlcalc.entropy(probabilities.bfloat16().requires_grad_())


def test_a_meta_tensor_has_shapes_and_no_values() -> None:
    shapes = torch.empty(4, 3, device="meta")
    assert rlcalc.entropy(shapes).shape == (4,)
    assert rlcalc.gae(shapes, gamma=torch.empty((), device="meta")).shape == (4, 3)
    with refused(rlcalc.InputError, "values_wrong_length"):
        rlcalc.gae(shapes, torch.empty(4, 3, device="meta"))


def test_vmap_and_functional_gradients_see_no_values() -> None:
    p = torch.softmax(torch.arange(12.0, dtype=torch.float64).reshape(4, 3), -1)
    alone = torch.stack([rlcalc.entropy(row) for row in p])
    torch.testing.assert_close(torch.func.vmap(rlcalc.entropy)(p), alone)
    slope = torch.func.grad(lambda x: rlcalc.entropy(torch.softmax(x, -1)))(torch.zeros(3))
    torch.testing.assert_close(slope, torch.zeros(3))
    rewards = torch.ones(4, 3)
    torch.testing.assert_close(torch.func.vmap(rlcalc.gae)(rewards), rlcalc.gae(rewards))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what Torch says of its own tools
def test_a_compiled_call_gives_the_same() -> None:
    rewards, values = torch.arange(6.0).reshape(2, 3), torch.ones(2, 4)

    def both(r: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        total: torch.Tensor = rlcalc.gae(r, v).sum() + rlcalc.ppo_clip(v, v).sum()
        return total

    want = both(
        rewards, values
    )  # first: the compiler of Torch 2.3 knows no function that was never asked for
    torch.testing.assert_close(torch.compile(both, backend="eager")(rewards, values), want)


@pytest.mark.filterwarnings("ignore")
def test_a_traced_call_gives_the_same() -> None:
    ratio, adv = torch.tensor([0.5, 1.5]), torch.tensor([1.0, -1.0])
    traced = torch.jit.trace(lambda r, a: rlcalc.ppo_clip(r, a), (ratio, adv))
    torch.testing.assert_close(traced(ratio, adv), rlcalc.ppo_clip(ratio, adv))
