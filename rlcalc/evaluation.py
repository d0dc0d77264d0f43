"""One set of inputs -> every backend -> one Evaluation.

The command line, the golden runner, conformance and the tests all come
through ``evaluate``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rlcalc._lazy import np, torch
from rlcalc.agreement import (
    Result,
    agree_for_held,
    agree_in_range,
    as_held,
    compare_backends,
    out_of_range,
    squares_leave_the_range,
)
from rlcalc.digits import DIGITS
from rlcalc.errors import InputError, UnknownName, shown, suggestion
from rlcalc.exact.assumptions import assuming
from rlcalc.exact.effort import TooMuchWork, limited
from rlcalc.formulas import load_forms
from rlcalc.inputs.arrays import from_exact
from rlcalc.inputs.bind import Inputs, bind
from rlcalc.nested import to_python
from rlcalc.specs import Formula, load_formula
from rlcalc.steps.derivation import Derivation

BACKENDS = ("sympy", "numpy", "torch")


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
        from rlcalc.steps import notebook

        steps = self.derivation.steps if self.derivation is not None else []
        answers = {name: _first_known(result) for name, result in self.wanted.items()}
        agree = {True: "The backends agree.", False: "The backends DISAGREE.", None: ""}[self.agree]
        return notebook.html(self.formula, self.inputs.texts(), answers, steps, self.notes, agree, self.names)

    def _repr_latex_(self) -> str:
        from rlcalc.steps import notebook

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
    try:
        nearby = derive_bound(as_held(inputs, dtype)).outputs
    except (InputError, ArithmeticError, TypeError):  # the inputs as held are outside the domain
        nearby = {}
    if nearby and agree_for_held(results, nearby, inputs, dtype):
        notes.append(
            f"The inputs rounded to {dtype} have another answer: the numeric backends give that one rightly."
        )
        return True
    if not squares_leave_the_range(inputs, dtype):
        return False
    agree = agree_in_range(results, dtype)
    if agree is not False:
        notes.append(
            f"Squares of the inputs leave the range of {dtype}: what needs them is not a number there."
        )
    return agree
