"""What is put to the test: a function, and how it is called.

Arguments are the canonical ones, by keyword; those that a function does not
name are left out, and a vector that needs them is not run on it. A plain
``Target`` calls its function in this process; ``process`` calls it in another
one, ``program`` asks a program.
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TextIO

from rlcalc._lazy import np
from rlcalc.conform.outcome import Outcome, outcome_of
from rlcalc.conform.target.call import Reply, compiles, others, perform, prepare
from rlcalc.conform.target.facts import Facts, facts_of
from rlcalc.conform.target.load import callable_or_refuse, load_function, prepare_jax
from rlcalc.conform.target.sheet import perform_sheet
from rlcalc.conform.target.slopes import Slope
from rlcalc.conform.vectors import Arrays, Vector, answer_name
from rlcalc.errors import InputError
from rlcalc.nested import shape
from rlcalc.specs import Formula, Parameter
from rlcalc.time_limit import TimedOut, checked_limit, limited

if TYPE_CHECKING:
    from rlcalc.conform.binding.model import Binding

BACKENDS = ("numpy", "torch", "jax", "lists")
DTYPES = ("float64", "float32")
# why a vector cannot be put to a target, or nothing
Reason = Callable[[Vector], str]
JAX_NOTE = "JAX runs with jax_enable_x64 where it is given float64, which it would make float32 otherwise."
# a compiler works in the first call, and again for other shapes
LIMIT_COMPILING, LIMIT_FIRST = 30.0, 60.0


@dataclass
class Target:
    """A function under test.

    Attributes:
        name: as the user wrote it.
        function: takes keyword arguments.
        backend: what its arrays are.
        accepts: keyword names; ``None`` when it takes any.
        needs: names without a default.
        limit: seconds for one call.
        dtypes: floating dtypes that it is called with.
        source: Python text that brings it in, for a test that stands alone; empty
            where its name says enough.
        called: the name that it has there.
        single: parameters that it takes one number of, where the formula also takes one per step.
        spread: parameters that it takes one per step of, where the formula also takes one number.
        limits: further reasons not to ask it, as they were found by trying.
        compiles: its code is compiled when it is called; the time of that is not held against it.
        called_before: it has answered, so that a compiler has done most of its work.
        output: where it may print to; nowhere when left out.
        facts: what its source says; ``None`` for a program.
        binding: how its parameters were read, where they were looked at.
        searched: what was found for each formula that it was tried as, and each backend.
    """

    name: str
    function: Callable[..., Any]
    backend: str = "numpy"
    accepts: frozenset[str] | None = None
    needs: frozenset[str] = frozenset()
    limit: float = 5.0
    dtypes: tuple[str, ...] = DTYPES
    notes: list[str] = field(default_factory=list)
    source: str = ""
    called: str = ""
    single: frozenset[str] = frozenset()
    spread: frozenset[str] = frozenset()
    limits: tuple[Reason, ...] = ()
    compiles: bool = False
    called_before: bool = False
    output: TextIO | None = None
    facts: Facts | None = None
    binding: Binding | None = None
    searched: dict[tuple[str, str], Any] = field(default_factory=dict)

    def unable(self, vector: Vector) -> str:
        """Why a vector cannot be put to this target; empty when it can."""
        many = sorted(name for name in self.single if one_per_step(vector, name))
        if many:
            return f"per-step {', '.join(many)} not supported"
        unknown = sorted(self.needs - vector.formula.names)
        if unknown:
            raise InputError(
                "target_signature",
                f"{self.name} needs {', '.join(unknown)}, which {vector.formula.name} does not have.",
                f"It is called with {', '.join(p.name for p in vector.formula.parameters)} by keyword.",
            )
        for reason in self.limits:
            if why := reason(vector):
                return why
        missing = sorted(
            name for name in vector.given if not self.takes(name) and says_something(vector, name)
        )
        if missing:
            return f"no {', '.join(f'`{name}`' for name in missing)} argument"
        lacking = sorted(name for name in self.needs if _argument(vector, name, vector.arrays) is None)
        return f"it needs {', '.join(lacking)}" if lacking else ""

    def as_put(self, vector: Vector) -> Vector:
        """The vector with what the function gets in the place of nothing: a known bug gets that as well."""
        return vector

    def reach(self, vector: Vector) -> float:
        """Correct digits that it can be asked for, by what is known of how it computes."""
        return math.inf

    def takes(self, name: str) -> bool:
        """Whether it has a parameter of this name, or takes any."""
        return self.accepts is None or name in self.accepts

    def arguments(self, vector: Vector, dtype: str, change: Any = None) -> Arrays:
        """Keyword arguments of a call; fresh arrays each time."""
        arrays = vector.cast(dtype)
        found = {}
        for parameter in vector.formula.parameters:
            name = parameter.name
            if not self.takes(name):
                continue
            value = _argument(vector, name, arrays) if name in self.needs else arrays[name]
            if value is not None and name in self.spread:
                like = next(p.name for p in vector.formula.parameters if p.shape == (parameter.each,))
                value = np.broadcast_to(value, arrays[like].shape).copy()
            if value is not None:
                found[name] = _plain(parameter, value)
        if "order" in found and "mdp" in found:  # it names states
            found["mdp"]["states"] = list(arrays["mdp"].mdp.states)
        return found if change is None else dict(change(found))

    def call(self, vector: Vector, dtype: str = "float64", change: Any = None) -> Outcome:
        """Run the function once; whatever it does is an outcome."""
        slopes = slopes_of(vector.formula) if self.backend == "torch" else []
        return outcome_of(vector, trimmed(vector, self.reply(self.arguments(vector, dtype, change), slopes)))

    def reply(self, arguments: Arrays, slopes: Sequence[Slope] = ()) -> Reply:
        """Call the function in this process, with the time limit that one process can give itself."""
        return self._here(self.backend, lambda: perform(self.function, self.backend, arguments, slopes))

    def lay_out(self, values: Arrays, sheet: Arrays) -> Reply:
        """Call the function with values at the places that a sheet names; see ``sheet.perform_sheet``."""
        return self._here(sheet["backend"], lambda: perform_sheet(self.function, {**sheet, "values": values}))

    def _here(self, backend: str, call: Callable[[], Reply]) -> Reply:
        prepare(backend)
        try:
            with limited(self.patience()), contextlib.redirect_stdout(self.output or io.StringIO()):
                reply = call()
        except TimedOut:
            return Reply("hangs", detail=f"no answer within {self.patience():g} s")
        self.called_before = True
        return reply

    def patience(self) -> float:
        """Seconds for the next call."""
        if not self.compiles:
            return self.limit
        return max(self.limit, LIMIT_COMPILING if self.called_before else LIMIT_FIRST)

    def narrowed(self, single: frozenset[str] = frozenset(), limits: tuple[Reason, ...] = ()) -> Target:
        """The same target, asked for less; it shares whatever it talks to.

        Args:
            single: parameters of which it is given one number only.
            limits: reasons not to ask.
        """
        found = copy(self)
        found.single, found.limits = self.single | single, (*self.limits, *limits)
        return found

    def spreading(self, name: str) -> Target:
        """The same target, given one per step of a parameter where there is one number for all."""
        found = copy(self)
        found.spread = self.spread | {name}
        return found

    def with_backend(self, backend: str) -> Target:
        """The same target, called with other arrays; it shares whatever it talks to."""
        found = copy(self)
        found.backend = backend
        return found

    def with_dtypes(self, dtypes: tuple[str, ...]) -> Target:
        """The same target, asked in some dtypes only."""
        found = copy(self)
        found.dtypes = dtypes
        return found

    @property
    def backends(self) -> tuple[str, ...]:
        """Kinds of arrays that are worth trying, its own first."""
        return (self.backend, *(name for name in others(self.function) if name != self.backend))

    def close(self) -> None:
        """Let go of what a target holds; a function holds nothing."""


def trimmed(vector: Vector, reply: Reply) -> Reply:
    """A reply whose derivatives end where the certified ones do: inputs at the end may take no part."""
    parts = dict(reply.parts)
    for name in [output.name for output in vector.formula.outputs if output.derivative is not None]:
        part, wanted = parts.get(name), shape(vector.truth.get(name))
        if part is None or part.array is None:
            continue
        # an answer of no rows does not say how wide they are
        if part.array.ndim == len(wanted) or 0 in wanted:
            array = part.array[tuple(slice(0, length) for length in wanted)]
            parts[name] = replace(part, array=array, shape=array.shape)
    return replace(reply, parts=parts)


def slopes_of(formula: Formula) -> list[list[str]]:
    """Outputs that are derivatives, as ``slopes`` finds them."""
    return [
        [output.name, slope.of, slope.by, "alone" if slope.of == answer_name(formula) else ""]
        for output in formula.outputs
        if (slope := output.derivative) is not None
    ]


def one_per_step(vector: Vector, name: str) -> bool:
    """Whether a parameter that may be one number comes as one per step."""
    array = vector.arrays.get(name)
    return bool(vector.formula.parameter(name).each) and array is not None and array.ndim > 0


def says_something(vector: Vector, name: str) -> bool:
    """Whether leaving an argument out would change the question: flags that are all off say nothing."""
    value = vector.arrays[name]
    parameter = vector.formula.parameter(name)
    if parameter.masks:
        return not bool(value.all())
    if parameter.kind == "flag":
        on = bool(value.any() if hasattr(value, "any") else value)
        return on != (parameter.default == "1")
    if parameter.default == "zeros":
        return bool((value != 0).any())
    return parameter.default is None or parameter.default != str(vector.texts.get(name))


def _argument(vector: Vector, name: str, arrays: Arrays) -> Any:
    """An argument that the function insists on, made up where the vector leaves it at its default."""
    value = arrays.get(name)
    if value is not None:
        return value
    parameter = vector.formula.parameter(name)
    if parameter.is_switch:
        return False
    if parameter.kind == "flag" and arrays.get("rewards") is not None:
        return np.zeros(arrays["rewards"].shape, bool)
    if name == "values" and arrays.get("rewards") is not None:  # a value that nothing was said of counts as 0
        *batch, steps = arrays["rewards"].shape
        return np.zeros((*batch, steps + 1), arrays["rewards"].dtype)
    if name == "bootstrap" and arrays.get("rewards") is not None:
        return np.zeros(arrays["rewards"].shape[:-1], arrays["rewards"].dtype)
    if name == "next_values" and arrays.get("values") is not None:
        return arrays["values"][..., 1:].copy()
    return None


def _plain(parameter: Parameter, value: Any) -> Any:
    """Single numbers and counts as Python has them; tables by name, experience as tuples."""
    if hasattr(value, "mdp"):
        return {"p": value.p, "r": value.r, "start": value.start, "terminal": list(value.mdp.terminal)}
    if parameter.is_text and value is not None:
        return value.plain(parameter.kind)
    if parameter.kind == "integer" and getattr(value, "ndim", 1) == 0:
        return int(value)
    if parameter.single and getattr(value, "ndim", 1) == 0:
        return bool(value) if parameter.kind == "flag" else float(value)
    return value


def from_function(
    function: Callable[..., Any],
    name: str = "",
    backend: str = "numpy",
    limit: float = 5.0,
    dtypes: tuple[str, ...] = DTYPES,
) -> Target:
    """A target from a function in hand, called in this process.

    Its time limit is an alarm: it interrupts Python code and waiting, in the
    main thread. A call that stays inside compiled code is late only when it
    comes back, and one that dies takes this process along; ``process`` has
    neither limit, but must find the function by its name.

    Raises:
        InputError: ``target_not_callable``, ``jax_missing``, ``limit_out_of_range``.
    """
    if limit != math.inf:
        checked_limit(limit)
    function = callable_or_refuse(function, name or str(function))
    facts = facts_of(function)
    called = name or getattr(function, "__name__", "target")
    target = Target(called, function, backend, facts.accepts, facts.needs, limit, dtypes, facts=facts)
    target.compiles = compiles(function)
    if backend == "jax":
        prepare_jax()
        target.notes += [JAX_NOTE] * ("float64" in dtypes)
    return target


def load_target(
    text: str, backend: str = "numpy", limit: float = 5.0, dtypes: tuple[str, ...] = DTYPES
) -> Target:
    """A target by its name, imported into and called in this process.

    Raises:
        InputError: as ``load.load_function``.
    """
    function = load_function(text, backend)
    return from_function(function, text, backend, limit, dtypes)
