"""A target as its binding reads it: asked in the formula's words, called in its own."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.each import answer_of
from rlcalc.conform.binding.families.agent_play import TABLES, is_agent
from rlcalc.conform.binding.families.base import Family, Unfit
from rlcalc.conform.binding.families.family import family_of, laid_out
from rlcalc.conform.binding.families.learning import networks_of
from rlcalc.conform.binding.families.process_values import forms
from rlcalc.conform.binding.families.processes import Processes
from rlcalc.conform.binding.families.sequence_trials import FLAGS
from rlcalc.conform.binding.families.token_layouts import EACH
from rlcalc.conform.binding.families.tokens import Tokens
from rlcalc.conform.binding.families.updates import Updates
from rlcalc.conform.binding.model import Binding, binding_of
from rlcalc.conform.binding.words.names import PROCESSES
from rlcalc.conform.binding.words.token_roles import NO_BOUND
from rlcalc.conform.faults import catalogue
from rlcalc.conform.outcome import Outcome, outcome_of
from rlcalc.conform.target.base import Target, from_function
from rlcalc.conform.target.call import Reply
from rlcalc.conform.target.sheet import SLOPE
from rlcalc.conform.target.slopes import Slope
from rlcalc.conform.vectors import GENERATED, Arrays, Vector, with_all_steps
from rlcalc.specs import load_formula


class BoundTarget(Target):
    """A target whose parameters are known by what they mean; it shares whatever the inner one talks to."""

    def __init__(self, inner: Target, binding: Binding, family: Family) -> None:
        own: dict[str, Any] = {f.name: getattr(inner, f.name) for f in fields(Target)}
        own |= {"backend": binding.backend, "accepts": family.conveys(binding), "needs": frozenset()}
        own |= {"notes": list(inner.notes), "single": inner.single | family.single(binding)}
        own["binding"] = binding
        super().__init__(**own)
        self.inner, self.family = inner, family
        self.reading: Binding = binding
        ways = {way.name: way for way in catalogue(binding.formula).conventions}
        followed = [ways[name] for name in binding.like if name in ways and binding.agreed == "convention"]
        self.body = {way.sets: way.value for way in followed if way.sets and way.value is not None}
        # by identity: a vector is asked about with every convention, and laid out to be refused or not;
        # a copy of this target may read it otherwise
        self.looked_at: dict[tuple[int, int], tuple[Vector, Binding, str]] = {}

    def unable(self, vector: Vector) -> str:
        # what a vector asks for in words, and the function has in its body
        body = {n for n, value in self.body.items() if same_choice(vector.arrays.get(n), value)}
        why = super().unable(replace(vector, given=vector.given - body) if body else vector)
        if why:
            return why
        for name, value in self.reading.fixed.items():
            given = vector.arrays.get(name)
            if given is not None and not same_choice(given, value):
                return f"its {name} is fixed at {value:g}"
        return self._unfit(vector)

    def _unfit(self, vector: Vector) -> str:
        """Why the values of a vector have no place in the reading; empty where they have."""
        asked = id(vector), id(self.reading)
        if asked in self.looked_at:
            return self.looked_at[asked][-1]
        try:
            laid_out(self.family, self.reading, vector.arrays)
            why = ""
        except Unfit as error:
            why = str(error)
        if vector.id != GENERATED:  # each of those is asked about once
            self.looked_at[asked] = (vector, self.reading, why)
        return why

    def as_put(self, vector: Vector) -> Vector:
        roles = self.reading.roles
        bounds = {n: value for n, value in NO_BOUND.items() if f"{n}_always" in roles}
        filled: Arrays = {n: np.float64(value) for n, value in bounds.items() if vector.arrays.get(n) is None}
        rewards = vector.arrays.get("rewards")
        if roles & FLAGS and rewards is not None and vector.arrays.get("terminated", rewards) is None:
            filled["terminated"] = np.zeros(rewards.shape, bool)  # no end is a flag that is off
        vector = with_all_steps(vector) if "n" in roles else vector
        return replace(vector, arrays={**vector.arrays, **filled}) if filled else vector

    def reach(self, vector: Vector) -> float:
        return (
            self.family.reach(self.reading, vector.arrays) if isinstance(self.family, Processes) else math.inf
        )

    def arguments(self, vector: Vector, dtype: str, change: Any = None) -> Arrays:
        """What the function gets, by place."""
        return laid_out(self.family, self.reading, self.meant(vector, dtype, change))

    def meant(self, vector: Vector, dtype: str, change: Any = None) -> Arrays:
        """The formula's own arguments of a call."""
        given = dict(vector.cast(dtype))
        return (
            given
            if change is None
            else {**given, **change({n: v for n, v in given.items() if v is not None})}
        )

    def call(self, vector: Vector, dtype: str = "float64", change: Any = None) -> Outcome:
        given = self.meant(vector, dtype, change)
        return outcome_of(vector, ask(self.inner, self.reading, self.family, given))

    def reply(self, arguments: Arrays, slopes: Sequence[Slope] = ()) -> Reply:
        return self.inner.lay_out(arguments, sheet(self.inner, self.reading))

    def with_backend(self, backend: str) -> Target:
        """Itself: whose arrays it takes is part of the binding."""
        return self

    @property
    def backends(self) -> tuple[str, ...]:
        return (self.backend,)

    def close(self) -> None:
        self.inner.close()


def same_choice(given: Any, value: Any) -> bool:
    """Whether an argument is what a convention makes of it anyway."""
    if given is None or isinstance(given, str) or isinstance(value, str):
        return given is not None and str(given) == str(value)
    return np.ndim(given) == 0 and float(given) == float(value)


def sheet(target: Target, binding: Binding) -> dict[str, Any]:
    """What a call has to know besides its values."""
    facts = target.facts
    arguments = facts.arguments or () if facts is not None else ()
    process = binding.formula in PROCESSES
    kept = TABLES if is_agent(binding) else {"table"}
    tables = dict.fromkeys(binding.places_of(*kept), binding.form)
    # what is there to be written over
    over = {*binding.read, *tables, *(binding.places_of("values") if process else ())}
    return {
        "backend": binding.backend,
        "backends": facts.mixed if facts is not None else {},
        "read": list(binding.read),
        "inputs": [path for path in binding.inputs if path.isidentifier() and path not in over],
        "positional": [a.name for a in arguments if a.positional],
        "tables": forms(binding) if process else tables,
        "process": process,
        **_leaves(binding),
        "stacked": list(facts.stacked) if facts is not None else [],
        "networks": networks_of(binding),
        "slopes": list(_derivatives(binding).values()) if binding.backend == "torch" else [],
    }


def _leaves(binding: Binding) -> dict[str, list[str]]:
    """Log-probabilities of a loss, with the values beside them."""
    leaves = binding.places_of("log_probs")
    return {"leaves": leaves, "beside": binding.places_of("values") if leaves else []}


def _derivatives(binding: Binding) -> dict[str, list[str]]:
    """Derivatives that can be found by autograd, each with the places of what it is of and by."""
    places = {role: path for path, role in binding.inputs.items() if path.isidentifier()}
    found = {}
    for output in load_formula(binding.formula).outputs:
        slope = output.derivative
        if (
            slope is not None
            and binding.layout != EACH
            and slope.by in places
            and slope.of in binding.outputs
        ):
            place = binding.outputs[slope.of]
            found[output.name] = [output.name, place, places[slope.by], "" if place else "alone"]
    return found


def ask(target: Target, binding: Binding, family: Family, given: Mapping[str, Any]) -> Reply:
    """One call; the outputs come back under the formula's names, in its layout."""

    def call(values: Arrays) -> Reply:
        return target.lay_out(values, sheet(target, binding))

    try:
        if isinstance(family, Updates) and not is_agent(binding):
            return family.play(binding, given, call)
        reply = answer_of(family, binding, given, call)
    except Unfit as error:
        return Reply("raises", detail=f"Unfit: {error}")
    if reply.kind != "answer":
        return reply
    parts = {}
    slopes = {name: SLOPE + name for name in _derivatives(binding) if name not in binding.outputs}
    firsts = {output.name for output in load_formula(binding.formula).outputs if output.of}
    for name, place in {**binding.outputs, **slopes}.items():
        part = reply.parts.get(place)
        if part is not None and part.array is not None:
            if name in slopes and isinstance(family, Tokens):
                array = family.restore_slope(binding, name, part.array, given)
            elif name in firsts:
                array = _one_a_sequence(part.array, given)
            else:
                array = family.restore(binding, part.array, given)
            part = replace(part, array=array, shape=array.shape)
        if part is not None:
            parts[name] = part
    if not parts and reply.parts:
        parts = {"": next(iter(reply.parts.values()))}
    return replace(reply, parts=parts, form="mapping")


def _one_a_sequence(array: Any, given: Mapping[str, Any]) -> Any:
    """One number for each sequence of a batch, whichever axis is time; unchanged where there are others."""
    batch = np.shape(given["rewards"])[:-1]
    return array.reshape(batch) if array.size == math.prod(batch) else array


def answers(function: Callable[..., Any], binding: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a function answers, read by a binding: for tests that ``rlcalc conform`` writes.

    Args:
        function: as it stands.
        binding: a table in TOML, as ``--write-binding`` writes it.
        given: arguments of the formula by its own names, NumPy arrays with time last.

    Returns:
        Arrays by the names of the formula's outputs, time last.

    Raises:
        RuntimeError: it raised; the message is its exception.
        AssertionError: it changed an argument in place.
    """
    read = binding_of(tomllib.loads(binding), "BINDING")
    formula = load_formula(read.formula)
    family = family_of(formula)
    assert family is not None
    whole = {p.name: given.get(p.name) for p in formula.parameters}
    reply = ask(from_function(function), read, family, whole)
    if reply.kind != "answer":
        raise RuntimeError(reply.detail)
    assert not reply.changed, f"{', '.join(reply.changed)} changed in place"
    return {name: part.array for name, part in reply.parts.items()}
