"""Certified readings as arrays, with the exact answers to hold a function to.

A vector is one reading of one golden case that has numbers for an answer.
Inputs that must be refused and symbolic inputs are no vectors: a loss
function on a training step is not expected to check its caller.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from rlcalc._lazy import np
from rlcalc.agreement import input_scale, numbers
from rlcalc.digits import read_decimal
from rlcalc.errors import DataError, InputError
from rlcalc.exact.grammar import mentions_symbol
from rlcalc.formulas import load_forms
from rlcalc.golden.batch import row_texts, rows_of
from rlcalc.golden.files import Case, GoldenFile, load, shipped
from rlcalc.golden.values import Certified, certified
from rlcalc.golden.verify import DEMANDED
from rlcalc.inputs.arrays import from_exact
from rlcalc.inputs.bind import Inputs
from rlcalc.mdp.planning import ONE, free_loop, optimal
from rlcalc.nested import flatten, outline
from rlcalc.specs import Formula, Output, load_formula

Arrays = dict[str, Any]
# the id of a vector that was drawn and not certified
GENERATED = "generated"
MACHINE_INTEGERS = 2**63
# relative error of a few roundings
ROUNDING = {"float64": 2.0**-50, "float32": 2.0**-21}


@dataclass(frozen=True)
class Vector:
    """One set of inputs with what is right for them.

    Attributes:
        id: of the golden case, followed by ``#1`` for its first other reading.
        given: names that the case states; the others are defaults.
        texts: the inputs as the case has them, for reproduction.
        arrays: float64, as the NumPy form takes them; absent ones are ``None``.
        truth: by output name, nested lists of Fractions (±inf as float).
        demanded: correct digits by dtype; 0 where a dtype cannot hold the input.
        scale: size of the largest input, against which cancellation is judged.
        terms: size of the largest number that is added to others, be it a single one.
        rows: inputs of every entry, where the vector is a batch of others.
    """

    id: str
    formula: Formula
    about: str
    given: frozenset[str]
    texts: Mapping[str, Any]
    arrays: Arrays
    truth: Mapping[str, Any]
    demanded: Mapping[str, float]
    scale: float
    flags: tuple[str, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    terms: float = 0.0

    @cached_property
    def largest_answer(self) -> int:
        """Entries of the largest answer that is looked at: well above the inputs and the right answer."""
        sizes = [int(value.size) for value in self.arrays.values() if hasattr(value, "size")]
        return 16 * max([64, *sizes, *(sum(1 for _ in flatten(value)) for value in self.truth.values())])

    def size(self, dtype: str) -> float:
        """What an error in a dtype is held against, beside the answer itself.

        Of single numbers only their own rounding is allowed: V + α(target − V)
        is right, though a small target is lost beside a huge V.
        """
        return max(self.scale, ROUNDING[dtype] * self.terms * 10 ** self.demanded[dtype])

    def cast(self, dtype: str) -> Arrays:
        """The arrays in another floating dtype, always as a copy."""
        kind = np.dtype(dtype)

        def one(value: Any) -> Any:
            if isinstance(value, np.ndarray):
                with np.errstate(over="ignore"):  # out of a narrow dtype's range is infinity
                    return value.astype(kind) if np.issubdtype(value.dtype, np.floating) else value.copy()
            if hasattr(value, "mdp"):  # the tables of a decision process
                return replace(value, p=one(value.p), r=one(value.r), start=one(value.start))
            return value

        return {name: one(value) for name, value in self.arrays.items()}


@cache
def golden_vectors(formula: str) -> tuple[Vector, ...]:
    """The shipped vectors of a formula.

    Raises:
        UnknownName: ``unknown_formula``.
        InputError: ``no_vectors`` for a formula without a numeric answer.
    """
    return file_vectors(shipped(load_formula(formula).name))


def vectors_of(formula: str, paths: Sequence[Path]) -> tuple[Vector, ...]:
    """The vectors of a formula in files of a user.

    Raises:
        DataError: as ``load_own``.
        InputError: ``no_vectors``.
    """
    name = load_formula(formula).name
    found = [v for path in paths if (file := load_own(path)).formula == name for v in file_vectors(file)]
    if not found:
        raise InputError("no_vectors", f"None of the files has a vector of {name}.")
    return tuple(found)


def load_own(path: Path) -> GoldenFile:
    """A golden file that was not certified here: one that contradicts itself is refused.

    Raises:
        DataError: as ``rlcalc.golden.files.load``; ``bad_golden`` where a ``decimal`` is not its ``exact``.
    """
    file = load(path)
    for case in file.cases:
        for values in certified(case, load_formula(case.formula)):
            for name, value in values.items():
                if _contradicts(value):
                    raise DataError(
                        "bad_golden",
                        f"{path.name}: case {case.id}: {name}: decimal is {value.want.decimal}, "
                        f"but exact is {value.want.exact}.",
                        "'rlcalc golden certify --overwrite' writes the decimals of exact.",
                    )
    return file


def _contradicts(value: Certified) -> bool:
    """Whether the decimals, of however many digits, are not those of the exact value."""
    if not value.want.decimal or not value.decimals:
        return False

    def near(written: Any, right: Any) -> bool:
        mine, other = read_decimal(str(written)), read_decimal(str(right))
        if isinstance(mine, float) or isinstance(other, float):
            return mine == other
        return abs(mine - other) <= abs(other) / 10**15

    alike = outline(value.want.decimal) == outline(value.decimals)
    return not alike or not all(map(near, flatten(value.want.decimal), flatten(value.decimals)))


def file_vectors(file: GoldenFile) -> tuple[Vector, ...]:
    found = tuple(vector for case in file.cases for vector in case_vectors(case))
    if not found:
        raise InputError("no_vectors", f"{file.formula} has no vector with a number for an answer.")
    return found


def case_vectors(case: Case) -> Iterable[Vector]:
    """One vector per reading whose inputs and answers are numbers."""
    if case.result == "invalid" or case.digits.get("float64") == 0:
        return
    formula = load_formula(case.formula)
    for number, (reading, values) in enumerate(zip(case.variants, certified(case, formula), strict=True)):
        if _symbolic(formula, reading.given):
            continue
        inputs = rows_of(formula, reading.given, case.batch).together
        if inputs.symbols or not fits_arrays(inputs):
            continue
        wanted = {
            name: value.truth
            for name, value in values.items()
            if not value.output.exact_only and value.output.kind != "word" and value.truth is not None
        }
        if not case.batch:
            wanted |= first_entries(formula, wanted)
        if not wanted or _beyond_machine_integers(formula, wanted):
            continue
        rows = row_texts(formula, reading.given, case.batch) if case.batch else []
        yield Vector(
            id=f"{case.id}#{number}" if number else case.id,
            formula=formula,
            about=case.about,
            given=inputs.typed,
            texts=rows[0] if rows else dict(reading.given),
            arrays=from_exact(inputs, "numpy"),
            truth=wanted,
            demanded={d: float(case.digits.get(d, DEMANDED[d])) for d in ("float64", "float32")},
            scale=input_scale(inputs),
            terms=_size_of_terms(inputs),
            flags=tuple(flag.name for flag in case.flags),
            rows=tuple(rows),
        )


def first_entries(formula: Formula, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Outputs of a single row that are the first entry of one that is known."""
    whole = {o.name: wanted[o.of] for o in numeric_outputs(formula) if o.of and o.of in wanted}
    return {name: value[0] for name, value in whole.items() if name not in wanted and isinstance(value, list)}


def with_all_steps(vector: Vector) -> Vector:
    """The vector with as many steps as there are in the place of endlessly many; mostly unchanged."""
    if vector.arrays.get("n") != np.inf or "rewards" not in vector.arrays:
        return vector
    return replace(vector, arrays={**vector.arrays, "n": np.asarray(vector.arrays["rewards"].shape[-1])})


MOST_STATES = 24  # of a process that is handed to a function as a dense table


def fits_arrays(inputs: Inputs) -> bool:
    """Whether a function that takes arrays could know which answer is wanted.

    A table P [S, A, S'] has no names, and does not say which actions a state lacks. Without
    discount the optimality equation may have several solutions, of which another algorithm finds another one.
    """
    formula = inputs.formula
    for process in (inputs.given[p.name] for p in formula.parameters if p.kind == "mdp"):
        if process is None:
            continue
        if any(p.name == "sweeps" and p.optional and inputs.given[p.name] for p in formula.parameters):
            return False  # shown beside the answer, which is the same without them
        by_name = any(p.kind == "word" and inputs.given[p.name] for p in formula.parameters)
        if not process.full or len(process.states) > MOST_STATES or by_name:
            return False
        optimising = any(o.name == "greedy" for o in formula.outputs) and "sweeps" not in inputs.given
        if optimising and inputs.given.get("gamma") == 1:
            return not free_loop(process, optimal(process, ONE)[0])
    return True


def _symbolic(formula: Formula, given: Mapping[str, Any]) -> bool:
    """Whether an input has a letter in it, as far as its text tells: SymPy need not be imported for that."""
    texts = (given[p.name] for p in formula.parameters if p.kind == "number" and p.name in given)
    # a step size of 1/k is a number for every k
    return any(mentions_symbol(part) for text in texts for part in _texts(text) if part != "1/k")


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield value


def _size_of_terms(inputs: Inputs) -> float:
    """The largest number that a formula adds to others."""
    if "linear" not in inputs.formula.traits:
        return 0.0
    return max((abs(nearest) for _, nearest in numbers(inputs)), default=0.0)


def _beyond_machine_integers(formula: Formula, wanted: Mapping[str, Any]) -> bool:
    """Whether a function of counts would need longer integers than arrays have."""
    if any(p.kind != "integer" for p in formula.parameters):
        return False
    return any(abs(part) >= MACHINE_INTEGERS for value in wanted.values() for part in flatten(value))


def answer_name(formula: Formula) -> str:
    """The output that a function returns when it returns one array: all time steps of the first one."""
    return formula.answer.of or formula.answer.name


def numeric_outputs(formula: Formula) -> tuple[Output, ...]:
    return tuple(o for o in formula.outputs if o.kind == "number" and not o.exact_only)


def complete(formula: Formula, found: Mapping[str, Any]) -> dict[str, Any]:
    """Outputs by name, with those added that are the first entry of another."""
    named = {name: value for name, value in found.items() if value is not None}
    for output in numeric_outputs(formula):
        if output.of and output.of in named:
            # a whole of the wrong shape is reported as such, not as an error of ours
            whole = named[output.of]
            if getattr(whole, "ndim", 0):
                named[output.name] = whole[..., 0]
    return {o.name: named[o.name] for o in numeric_outputs(formula) if o.name in named}


def reference(formula: Formula) -> Any:
    """The NumPy form: the thing that faults and conventions are small changes of."""
    return load_forms(formula.name).numpy_form


def first_quarter(vector: Vector) -> Vector:
    """The same with a quarter of its steps, in every array that is as long or one longer."""
    steps = longest(vector)

    def cut(array: Any) -> Any:
        size = np.shape(array)[-1:]
        over = size[0] - steps if size and size[0] in (steps, steps + 1) else None
        return array if over is None else array[..., : steps // 4 + over]

    return replace(vector, arrays={name: cut(array) for name, array in vector.arrays.items()}, rows=())


def longest(vector: Vector) -> int:
    """The steps of what is rewarded; 0 where nothing is."""
    size = getattr(vector.arrays.get("rewards"), "shape", ())
    return int(size[-1]) if size else 0


def length_of(vector: Vector) -> int:
    """Entries along the longest axis of a vector's inputs."""
    return max((n for x in vector.arrays.values() for n in getattr(x, "shape", ())), default=1)
