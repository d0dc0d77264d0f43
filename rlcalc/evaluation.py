"""One set of inputs -> every backend -> one Evaluation.

The command line, the golden runner, conformance and the tests all come
through ``evaluate``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Any

from rlcalc._lazy import np, torch
from rlcalc.digits import DIGITS, LARGEST, SMALLEST, least_digits, rounded
from rlcalc.errors import InputError, UnknownName, shown, suggestion
from rlcalc.exact import to_float, to_text
from rlcalc.exact.assumptions import assuming
from rlcalc.exact.effort import TooMuchWork, limited
from rlcalc.formulas import load_forms
from rlcalc.inputs.arrays import from_exact
from rlcalc.inputs.bind import Inputs, bind
from rlcalc.nested import flatten, map_nested, to_python
from rlcalc.specs import Formula, Output, load_formula
from rlcalc.steps import notebook
from rlcalc.steps.derivation import Derivation

BACKENDS = ("sympy", "numpy", "torch")
# the share of a dtype's digits that rounding may cost before two backends count as disagreeing
AGREES_FROM = {"float64": 9.0, "float32": 3.5, "float16": 1.0, "bfloat16": 0.5}


@dataclass
class Result:
    """One output on every backend that ran.

    ``exact`` is a SymPy expression, a word, or nested lists; ``numpy`` and
    ``torch`` are floats or nested lists of them.
    """

    output: Output
    exact: Any = None
    numpy: Any = None
    torch: Any = None
    digits: dict[str, float] = field(default_factory=dict)


@dataclass(repr=False)
class Evaluation:
    """Everything that is known about one computation.

    Attributes:
        results: by output name; the first is the answer.
        derivation: the steps, or ``None`` where the exact backend was skipped.
        agree: whether every numeric backend agrees with the exact answer
            (with each other where there is none); ``None`` if nothing could be compared.
        notes: what was skipped, assumed or chosen.
        chosen: name of the one output that was asked for; all of them where it is empty.
    """

    formula: Formula
    inputs: Inputs
    results: dict[str, Result]
    derivation: Derivation | None
    backends: tuple[str, ...]
    dtype: str
    agree: bool | None
    notes: list[str]
    chosen: str = ""

    def _repr_html_(self) -> str:
        """For notebooks: what was given, the answers, the steps, and whether the backends agree."""
        steps = self.derivation.steps if self.derivation is not None else []
        answers = {name: _first_known(result) for name, result in self.wanted.items()}
        agree = {True: "The backends agree.", False: "The backends DISAGREE.", None: ""}[self.agree]
        return notebook.html(self.formula, self.inputs.texts(), answers, steps, self.notes, agree)

    def _repr_latex_(self) -> str:
        steps = self.derivation.steps if self.derivation is not None else []
        answers = {name: _first_known(result) for name, result in self.wanted.items()}
        return notebook.latex(self.formula, self.inputs.texts(), answers, steps, self.notes)

    def __repr__(self) -> str:
        ran = " ".join(self.backends) or "nothing"
        agree = {True: "agree", False: "disagree", None: "not compared"}[self.agree]
        return f"<Evaluation of {self.formula.name}: {ran}; {agree}>"

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """What the entries of a dimension are called: states, actions, tokens."""
        found = dict(self.inputs.names)
        columns = self.results.get("columns")
        if columns is not None:  # an output that names those of another
            found["S"] = tuple(map(str, columns.exact or columns.numpy or ()))
        return found

    @property
    def answer(self) -> Result:
        """The output that was asked for, or the first one.

        Raises:
            InputError: ``nothing_computed`` where every backend was skipped; the notes say why.
        """
        if not self.results:
            raise InputError("nothing_computed", "No backend could compute this.", "\n".join(self.notes))
        return next(iter(self.wanted.values()))

    @property
    def wanted(self) -> dict[str, Result]:
        """The outputs to print, by name."""
        return {self.chosen: self.results[self.chosen]} if self.chosen else self.results

    def choose(self, name: str) -> None:
        """Ask for one output only.

        Raises:
            UnknownName: ``unknown_output``, with the nearest name.
        """
        if name not in self.results:
            known = list(self.results)
            hint = suggestion(name, known) or f"There are {', '.join(known)}."
            raise UnknownName("unknown_output", f"There is no output {shown(name)} here.", hint)
        self.chosen = name


def _first_known(result: Result) -> Any:
    """An output in the form that says most."""
    found = (result.exact, result.numpy, result.torch)
    return next((value for value in found if value is not None), "")


def check_backends(names: Sequence[str]) -> tuple[str, ...]:
    """The backends in a fixed order.

    Raises:
        UnknownName: ``unknown_backend``; a misspelt name is never skipped.
        InputError: ``backends_empty``.
    """
    names = (names,) if isinstance(names, str) else tuple(names)
    if not names:
        raise InputError("backends_empty", "No backend is named.", f"Use {', '.join(BACKENDS)}.")
    for name in names:
        if name not in BACKENDS:
            hint = suggestion(name, list(BACKENDS)) or f"Use {', '.join(BACKENDS)}."
            raise UnknownName("unknown_backend", f"There is no backend {shown(name)}.", hint)
    return tuple(name for name in BACKENDS if name in names)


def derive(formula: str, /, **inputs: Any) -> Derivation:
    """Exact answer of a formula with its steps.

    Args:
        formula: Python name (``"lambda_return"``) or command (``"lambda-return"``).
        inputs: by parameter name; numbers, text in the expression grammar
            (``"1/3"``, ``"sqrt(2)"``, ``"l"`` for a symbol), lists of them,
            Fractions or SymPy expressions. A float means the shortest decimal
            that prints it: 0.9 is 9/10.

    Returns:
        Derivation with ``.outputs``, ``.steps``, ``.text()`` and ``.latex()``.

    Raises:
        InputError: an input is missing, malformed or outside its domain.
        UnknownName: no such formula or parameter.
    """
    spec = load_formula(formula)
    return derive_bound(checked(spec, inputs))


def checked(spec: Formula, raw: Mapping[str, Any]) -> Inputs:
    """Bind raw inputs and apply the formula's own conditions between them."""
    with limited():
        inputs = bind(spec, raw)
        check = load_forms(spec.name).check
        if check is not None:
            check(inputs)
    return inputs


def derive_bound(inputs: Inputs) -> Derivation:
    """The derivation from inputs that were checked already."""
    derivation = Derivation(inputs.formula, inputs.texts())
    for note in inputs.notes:
        derivation.note(note)
    with limited(), assuming(inputs.signs()):
        load_forms(inputs.formula.name).exact_form(derivation, inputs)
    return derivation


def run_numeric(
    inputs: Inputs, backend: str, dtype: str = "float64", device: str = "cpu", notes: list[str] | None = None
) -> dict[str, Any]:
    """Outputs of one numeric form as floats and nested lists, by output name; ``notes`` takes its remarks."""
    spec = inputs.formula
    arrays = from_exact(inputs, backend, dtype, device)
    forms = load_forms(spec.name)
    if backend == "numpy":
        # overflow and underflow are answers here, and are judged as such
        with np.errstate(all="ignore"):
            found = forms.numpy_form(**arrays)
    else:
        found = _differentiated(spec, forms.torch_form, arrays)
    if notes is not None:
        notes += found.get("notes", ())
    return {
        output.name: to_python(found[key][..., 0] if output.of else found[key])
        for output in spec.outputs
        if (key := output.of or output.name) in found and found[key] is not None
    }


def _differentiated(
    spec: Formula, form: Callable[..., dict[str, Any]], arrays: dict[str, Any]
) -> dict[str, Any]:
    """Outputs of a Torch form, those that are derivatives by autograd and not by the form's own word."""
    slopes = {o.name: o.derivative for o in spec.outputs if o.derivative is not None}
    leaves = {slope.by: arrays[slope.by].requires_grad_() for slope in slopes.values()}
    found = form(**arrays)
    for name, slope in slopes.items():
        if found[slope.of].requires_grad:
            (whole,) = torch.autograd.grad(
                found[slope.of].sum(), leaves[slope.by], retain_graph=True, materialize_grads=True
            )
            # rows at the end that take no part are not among the answers (logits after the last token)
            found[name] = whole[tuple(slice(0, length) for length in found[name].shape)]
    return found


def evaluate(
    formula: str | Formula,
    raw: Mapping[str, Any],
    backends: Sequence[str] = ("sympy", "numpy"),
    dtype: str = "float64",
    device: str = "cpu",
) -> Evaluation:
    """Run a formula on the chosen backends and compare them.

    Args:
        formula: name, command or specification.
        raw: inputs as for ``derive``.
        backends: some of ``sympy``, ``numpy``, ``torch``.
        dtype: floating dtype of the numeric backends.
        device: Torch device.

    Raises:
        InputError, UnknownName: as ``derive``; ``unknown_dtype``, ``device_not_available``.
    """
    spec = load_formula(formula) if isinstance(formula, str) else formula
    chosen = check_backends(backends)
    if dtype not in DIGITS:
        raise UnknownName(
            "unknown_dtype", f"There is no floating dtype {shown(dtype)} here.", f"Use {', '.join(DIGITS)}."
        )
    return evaluate_bound(checked(spec, raw), chosen, dtype, device)


def evaluate_bound(
    inputs: Inputs, backends: tuple[str, ...], dtype: str = "float64", device: str = "cpu"
) -> Evaluation:
    """``evaluate`` for inputs that were checked already."""
    spec = inputs.formula
    notes = list(inputs.notes)
    derivation = None
    refused: TooMuchWork | None = None
    ran: list[str] = []
    exact: dict[str, Any] = {}
    longest = max(inputs.dims.values(), default=0)
    free = inputs.symbols
    several = len(free) > 1 and spec.symbolic_limit < spec.exact_limit
    limit = spec.symbolic_limit if several else spec.exact_limit
    if "sympy" in backends and longest > limit:
        notes.append(
            f"The exact backend was skipped: {longest} entries are more than the {limit} "
            f"for which every step is written out{' with several symbols' if several else ''}."
        )
    elif "sympy" in backends:
        try:
            derivation = derive_bound(inputs)
        except TooMuchWork as refusal:
            refused = refusal
            notes.append(f"The exact backend was skipped: {refusal.why}.")
        else:
            exact = derivation.outputs
            notes = derivation.notes
            ran.append("sympy")
    numeric: dict[str, dict[str, Any]] = {}
    outside = None if free else out_of_range(inputs, dtype)
    for backend in backends:
        if backend == "sympy":
            continue
        if free:
            what = "a symbol" if len(free) == 1 else "symbols"
            notes.append(f"{backend} was skipped: {', '.join(sorted(free))} left as {what}.")
            continue
        if outside is not None:
            notes.append(f"{backend} was skipped: {outside} lies outside the range of {dtype}.")
            continue
        numeric[backend] = run_numeric(inputs, backend, dtype, device, notes)
        ran.append(backend)
    if refused is not None and not ran:
        raise refused
    results = {
        output.name: Result(
            output,
            exact.get(output.name),
            numeric.get("numpy", {}).get(output.name),
            numeric.get("torch", {}).get(output.name),
        )
        for output in spec.outputs
        if output.name in exact or any(output.name in found for found in numeric.values())
    }
    agree = compare_backends(results.values(), inputs, dtype)
    if agree is False and derivation is not None:
        agree = _reconsider(list(results.values()), inputs, dtype, notes)
    return Evaluation(spec, inputs, results, derivation, tuple(ran), dtype, agree, notes)


def _reconsider(results: list[Result], inputs: Inputs, dtype: str, notes: list[str]) -> bool | None:
    """Whether a disagreement is the backend's own, and not that of its dtype."""
    if judge_by_rounded_inputs(results, inputs, dtype):
        notes.append(
            f"The inputs rounded to {dtype} have another answer: the numeric backends give that one rightly."
        )
        return True
    if not squares_leave_the_range(inputs, dtype):
        return False
    least = [
        count
        for result in results
        for backend, count in result.digits.items()
        if not (count < AGREES_FROM[dtype] and _lost_on_the_way(result, backend))
    ]
    if least and min(least) < AGREES_FROM[dtype]:
        return False
    notes.append(f"Squares of the inputs leave the range of {dtype}: what needs them is not a number there.")
    return True if least else None


def numbers(inputs: Inputs, *, vectors_only: bool = False) -> Iterator[tuple[Any, float]]:
    """Every exact number among the inputs, with the nearest float."""
    for parameter in inputs.formula.parameters:
        value = inputs.given[parameter.name]
        if value is None or isinstance(value, str) or parameter.kind != "number":
            continue
        if parameter.shape or not vectors_only:
            yield from zip(flatten(value), flatten(inputs.floats(parameter.name)), strict=True)


def out_of_range(inputs: Inputs, dtype: str) -> str | None:
    """The first input that a dtype cannot hold, in words; ``None`` if it holds all."""
    for value, nearest in numbers(inputs):
        size = abs(nearest)
        if size > LARGEST[dtype] or (size < SMALLEST[dtype] and value != 0):
            text = to_text(value)
            return text if len(text) <= 40 else f"{text[:30]}… ({len(text)} characters)"
    return None


def input_scale(inputs: Inputs) -> float:
    """Size of the largest number given, against which cancellation is judged."""
    return max((abs(nearest) for _, nearest in numbers(inputs, vectors_only=True)), default=0.0)


def compare_backends(results: Iterable[Result], inputs: Inputs, dtype: str) -> bool | None:
    """Fill in correct digits and say whether all backends agree."""
    least: list[float] = []
    scale: float | None = None
    for result in results:
        others = {name: got for name in ("numpy", "torch") if (got := getattr(result, name)) is not None}
        if result.output.kind == "word" or not others:
            continue
        truth = result.exact
        if truth is None:
            truth = others.pop(next(iter(others)))
        if not others:
            continue
        if scale is None:
            scale = input_scale(inputs)
        for name, got in others.items():
            result.digits[name] = least_digits(got, truth, dtype, scale)
            least.append(result.digits[name])
    return min(least) >= AGREES_FROM[dtype] if least else None


def judge_by_rounded_inputs(results: Iterable[Result], inputs: Inputs, dtype: str) -> bool | None:
    """``compare_backends`` against the exact answer for the inputs as the dtype holds them.

    0.99999999999999999 is 1 in float64. What a backend says of that 1 is no
    fault of its own, however far the answer is from that of the number typed.
    ``None`` where there is no exact answer for the rounded inputs.
    """
    given = {
        parameter.name: map_nested(partial(_as_held, dtype=dtype), inputs.given[parameter.name])
        if parameter.kind == "number"
        else inputs.given[parameter.name]
        for parameter in inputs.formula.parameters
    }
    try:
        nearby = derive_bound(replace(inputs, given=given)).outputs
    except (InputError, ArithmeticError, TypeError):
        return None
    twins = [replace(result, exact=nearby.get(result.output.name), digits={}) for result in results]
    agree = compare_backends(twins, inputs, dtype)
    for result, twin in zip(results, twins, strict=True):
        result.digits |= {name: max(count, result.digits[name]) for name, count in twin.digits.items()}
    return agree


def _as_held(value: Any, dtype: str) -> Any:
    words = value is None or isinstance(value, str)
    return value if words else rounded(Fraction(to_float(value)), dtype)


def squares_leave_the_range(inputs: Inputs, dtype: str) -> bool:
    """Whether a variance, say, of these inputs passes through numbers that the dtype cannot hold."""
    sizes = [abs(nearest) for _, nearest in numbers(inputs) if nearest]
    return any(size > LARGEST[dtype] ** 0.5 or size < SMALLEST[dtype] ** 0.5 for size in sizes)


def _lost_on_the_way(result: Result, backend: str) -> bool:
    """Whether a backend says that there is no number where the exact answer is one."""
    got = list(flatten(getattr(result, backend)))
    return any(not math.isfinite(value) for value in got if isinstance(value, float))
