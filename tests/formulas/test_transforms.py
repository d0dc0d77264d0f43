"""Torch forms in `torch.func`, a vectorised Jacobian, half precision and one graph of `torch.compile`.

Each works for every formula, or is refused with the sentence that stands in
`rlcalc.inputs.transforms.REFUSED`; nothing fails in a way of Torch's own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import pytest
import torch

import rlcalc
from rlcalc.errors import InputError
from rlcalc.evaluation import checked
from rlcalc.formulas import load_forms
from rlcalc.golden.files import shipped
from rlcalc.inputs.arrays import from_exact
from rlcalc.inputs.bind import Inputs
from rlcalc.inputs.transforms import REFUSED
from rlcalc.specs import formula_names, load_formula

Tensors = dict[str, torch.Tensor]
# the compiler of Torch 2.3 does not follow the attributes of our backends, and makes several graphs
ONE_GRAPH = not torch.__version__.startswith("2.3.")


@cache
def example(formula: str) -> Inputs:
    """The golden case in numbers that gives most of the parameters."""
    spec = load_formula(formula)
    cases = shipped(formula).cases
    plain = [case for case in cases if case.result != "invalid" and not case.batch]
    bound = [checked(spec, case.given) for case in sorted(plain, key=lambda case: -len(case.given))[:8]]
    return next(inputs for inputs in bound if not inputs.symbols)


def tensors_of(formula: str, dtype: str = "float64") -> tuple[Callable[..., Tensors], Tensors, Tensors]:
    """The form as a function of its tensors alone, those, and the floating ones among them."""
    given = from_exact(example(formula), "torch", dtype)
    tensors = {name: value for name, value in given.items() if isinstance(value, torch.Tensor)}
    rest = {name: value for name, value in given.items() if name not in tensors}
    floats = {name: value for name, value in tensors.items() if value.is_floating_point()}

    def form(**inputs: Any) -> Tensors:
        found = load_forms(formula).torch_form(**rest, **{**tensors, **inputs})
        return {name: value for name, value in found.items() if isinstance(value, torch.Tensor)}

    return form, tensors, floats


def smooth(found: Tensors) -> tuple[torch.Tensor, ...]:
    return tuple(x for x in found.values() if x.is_floating_point())


def mapped(formula: str) -> Tensors:
    form, tensors, _ = tensors_of(formula)
    if not tensors:
        return form()
    twice = {name: torch.stack([value, value]) for name, value in tensors.items()}
    found = torch.func.vmap(lambda given: form(**given))(twice)
    return {name: value[1] for name, value in found.items()}


@pytest.mark.parametrize("formula", formula_names())
def test_a_map_over_calls_gives_what_each_call_gives(formula: str) -> None:
    want = tensors_of(formula)[0]()
    refusal = REFUSED.get(formula)
    if refusal is not None and not refusal.compiled:
        with pytest.raises(InputError) as caught:
            mapped(formula)
        assert (caught.value.code, refusal.why in str(caught.value)) == ("not_in_transform", True)
        return
    found = mapped(formula)
    assert found.keys() == want.keys()
    for name, value in want.items():
        torch.testing.assert_close(found[name], value, equal_nan=True)


@pytest.mark.filterwarnings("ignore:`torch.jit")  # of Torch's own forward mode
@pytest.mark.parametrize("formula", formula_names())
def test_derivatives_forward_backward_and_all_at_once_agree(formula: str) -> None:
    form, _, floats = tensors_of(formula)
    names = list(floats)

    def outputs(*given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return smooth(form(**dict(zip(names, given, strict=True))))

    def total(*given: torch.Tensor) -> torch.Tensor:
        return torch.stack([x.sum() for x in outputs(*given)]).sum()

    at = tuple(floats.values())
    if not at or not outputs(*at):
        return  # counts and words alone, as in ppo_count
    slopes = torch.func.grad(total, tuple(range(len(at))))(*at)
    _, along = torch.func.jvp(total, at, tuple(map(torch.ones_like, at)))
    torch.testing.assert_close(along, torch.stack([x.sum() for x in slopes]).sum(), equal_nan=True)
    whole = torch.autograd.functional.jacobian(outputs, at, vectorize=True)
    for slope, k in zip(slopes, range(len(at)), strict=True):
        parts = [rows[k].reshape(-1, *slope.shape).sum(0) for rows in whole]
        torch.testing.assert_close(torch.stack(parts).sum(0), slope, equal_nan=True)


@pytest.mark.slow  # another dtype
@pytest.mark.parametrize("formula", formula_names())
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_stays_so(formula: str, dtype: str) -> None:
    form, _, floats = tensors_of(formula, dtype)
    found, wide = form(), tensors_of(formula)[0]()
    assert found.keys() == wide.keys()
    for name, value in found.items():
        if value.is_floating_point() and floats:
            narrow = formula == "pass_at_k" or value.dtype == getattr(torch, dtype)
            assert narrow, (name, value.dtype)  # pass_at_k takes counts, and is float64 whatever comes
        assert value.shape == wide[name].shape


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what Torch says of its own tools
@pytest.mark.parametrize("formula", formula_names())
def test_one_graph_of_a_compiler(formula: str) -> None:
    torch._dynamo.reset()
    form = partial(load_forms(formula).torch_form, **from_exact(example(formula), "torch"))
    refusal = REFUSED.get(formula)
    if refusal is not None and refusal.compiled and ONE_GRAPH:
        with pytest.raises(torch._dynamo.exc.Unsupported) as caught:
            torch.compile(form, backend="eager", fullgraph=True)()
        assert refusal.why in str(caught.value)
        assert refusal.instead in str(caught.value)
        found = torch.compile(form, backend="eager")()  # in several graphs, or in none
    else:
        found = torch.compile(form, backend="eager", fullgraph=ONE_GRAPH)()
    for name, value in form().items():
        if isinstance(value, torch.Tensor):
            torch.testing.assert_close(found[name], value, equal_nan=True)


def both(rewards: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    total: torch.Tensor = rlcalc.gae(rewards, values).sum() + rlcalc.ppo_clip(values, values).sum()
    more: torch.Tensor = rlcalc.compute("discounted_return", rewards=rewards, gamma=0.5)["returns"].sum()
    return total + more


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_public_functions_make_one_graph_with_its_backward() -> None:
    torch._dynamo.reset()
    leaves = [torch.arange(6.0).reshape(2, 3).requires_grad_(), torch.ones(2, 4).requires_grad_()]
    want = both(*leaves)  # first: the compiler of Torch 2.3 knows no function that was never asked for
    found = torch.compile(both, backend="aot_eager", fullgraph=ONE_GRAPH)(*leaves)
    torch.testing.assert_close(found, want)
    for one, other in zip(torch.autograd.grad(found, leaves), torch.autograd.grad(want, leaves), strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 16])
def test_the_recurrence_of_a_graph_is_the_one_outside(steps: int) -> None:
    from rlcalc.recurrence import traced
    from rlcalc.recurrence.scan import scan_torch

    generator = torch.Generator().manual_seed(steps)
    b, a = (torch.randn(2, steps, dtype=torch.float64, generator=generator) for _ in range(2))
    last = torch.randn(2, dtype=torch.float64, generator=generator)
    torch.testing.assert_close(traced.solved(b, a, last), scan_torch(b, a, last))
    half = traced.solved(b.half(), a.half(), last.half())
    assert half.dtype == torch.float16
