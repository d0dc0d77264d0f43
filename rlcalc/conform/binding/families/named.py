"""Formulas whose functions differ in names and shapes alone: Gaussians, bandits, quantiles, single updates.

A role is a parameter of the formula, or a variance in the place of a
deviation. Rows of a batch never depend on each other, so that they are laid
out one below the other and taken apart again; a sequence of one event (a
pull, a return) is passed as that event.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families.agent_play import arranged, conveyed, is_agent, restored
from rlcalc.conform.binding.families.agent_probes import agent_probes
from rlcalc.conform.binding.families.base import PLAIN, Arrays, Family, Unfit, in_order, listed, ways
from rlcalc.conform.binding.families.sequence import ONE
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.words.names import first_roles
from rlcalc.conform.binding.words.token_roles import WEIGHTS
from rlcalc.specs import Formula, Parameter, load_formula

# roles that are made of a parameter
MADE_OF: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "var": ("std", lambda std: std * std),
    # of a behaviour that takes each of two actions as often
    "target_probs": ("step_ratios", lambda ratios: ratios / 2),
    "behaviour_probs": ("step_ratios", lambda ratios: ratios * 0 + 0.5),
    "inverse_temperature": ("temperature", lambda temperature: 1 / temperature),
    "log_var": ("log_std", lambda log_std: 2 * log_std),
}
# two ways of giving a number, of which one is made of the other
LOGARITHMS = {"std": "log_std", "probs": "log_probs"}
OTHER_WAY = {**LOGARITHMS, **{log: plain for plain, log in LOGARITHMS.items()}}
# beyond e to this, a rounding of the logarithm shows
LARGEST_LOG = 20.0
# a dimension of events, of which functions often take one a call
EVENTS = {"adaptive_kl": "K", "gradient_bandit": "T", "is_return": "N", "mc_update": "K"}
# what says nothing, where a function insists on a number
NEUTRAL = {"temperature": 1.0}
# levels that all rows of a batch have in common, as many functions take them; one row of these
LEVELS = "taus"
# outputs of which a function may have any; of other formulas it is the first
ANSWERS = {
    "best_of_n_kl": frozenset({"kl", "bound", "best_probs"}),
    "is_return": frozenset({"ordinary", "weighted", "per_decision"}),
    "trust_region": frozenset({"kl", "theta_new"}),
    "ucb": frozenset({"scores", "action"}),
}
# what only some answers are made of, and the others: a function of these has no place for it
NOT_OF_ALL = {"best_of_n_kl": frozenset({"probs"})}
WITHOUT_IT = {"best_of_n_kl": frozenset({"bound"})}
# roles that are made of several parameters, and of which
ERRORS = "errors"
SEVERAL = {ERRORS: frozenset({"quantiles", "targets"})}
# numbers that a probe gives, where the domain alone would not do
PROBED = {"alpha": (0.25, 0.5, 0.125), "c": (2.0, 1.5, 0.75), "kappa": (1.0, 0.5, 2.0), "t": (40, 50, 60)}
# lengths that tell dimensions apart
LENGTHS = {"D": 3, "N": 4, "M": 5, "A": 3, "T": 4, "K": 4}
ROWS = 2
NOTHING = dict.fromkeys(("zero", *WEIGHTS), 0.0)
LAYOUTS = (("[...]", "array"), ("[N]", "array"), (ONE, "array"), (ONE, "list"))


class Named(Family):
    """The formulas that a table of names is enough for."""

    def __init__(self, formula: str) -> None:
        self.formula = load_formula(formula)
        self.own: Mapping[str, Parameter] = {p.name: p for p in self.formula.parameters}
        self.answers = ANSWERS.get(formula, frozenset({self.formula.answer.name}))
        self.event = EVENTS.get(formula, "")

    def possible(self, names: Iterable[str]) -> frozenset[str]:
        """Outputs that a function of these arguments can compute."""
        lacks = NOT_OF_ALL.get(self.formula.name, frozenset()) - first_roles(names, self.formula.name)
        return WITHOUT_IT[self.formula.name] if lacks else self.answers

    # what is handed over

    def arrange(self, binding: Binding, given: Mapping[str, Any]) -> Arrays:
        """Values by place; raises ``Unfit``."""
        if is_agent(binding):
            return arranged(binding, given)
        batch = self._batch(given)
        if binding.layout == ONE and batch:
            raise Unfit("one row a call, no batches")
        return {path: self._value(binding, given, role, batch) for path, role in binding.meant.items()}

    def _batch(self, given: Mapping[str, Any]) -> tuple[int, ...]:
        shapes = [
            np.shape(value)[: np.ndim(value) - len(self._axes(self.own[name], value))]
            for name, value in given.items()
            if value is not None and name in self.own and not isinstance(value, str)
        ]
        return tuple(np.broadcast_shapes(*shapes))

    def _axes(self, p: Parameter, value: Any) -> tuple[str, ...]:
        """Names of the last axes of a parameter's value, behind those of the batch."""
        if p.each and np.ndim(value):
            return (p.each,)
        return p.shape

    def _value(self, binding: Binding, given: Mapping[str, Any], role: str, batch: tuple[int, ...]) -> Any:
        if role == ERRORS:
            return self._errors(binding, given, batch)
        if role == "n_actions":
            return int(np.shape(given["q"])[-1])
        name, made = MADE_OF.get(role, (role, lambda value: value))
        if role == "no_values":
            return self._nothing(binding, given)
        if name not in self.own:
            return {**PLAIN, **NOTHING}.get(role)
        value = self._given(binding, given, name)
        if value is None or isinstance(value, str):
            raise Unfit(f"nothing is given for {role}" if value is None else f"{role} is a number there")
        p = self.own[name]
        value, axes = made(np.asarray(value)), self._axes(p, value)
        if binding.single == "row" and self.event in axes:
            place = axes.index(self.event) - len(axes)
            if value.shape[place] != 1:
                raise Unfit(f"one of {name} a call")
            value = value.squeeze(place)
            axes = tuple(axis for axis in axes if axis != self.event)
        if binding.single == "row" and name == LEVELS:
            rows = value.reshape(-1, value.shape[-1])
            if (rows != rows[0]).any():
                raise Unfit(f"the same {name} in every row of a call")
            return listed(binding, rows[0])
        if value.ndim == 0:
            kinds: dict[str, type] = {"integer": int, "count": int, "flag": bool}
            return kinds.get(p.kind, float)(value)
        return _rows(binding, value, batch, len(axes))

    def _nothing(self, binding: Binding, given: Mapping[str, Any]) -> Any:
        """0 for every step, as there are advantages."""
        return listed(binding, np.zeros_like(np.asarray(given["advantages"])))

    def _errors(self, binding: Binding, given: Mapping[str, Any], batch: tuple[int, ...]) -> Any:
        """Of every estimate the error by every target, [..., N, M]."""
        errors = given["targets"][..., None, :] - given["quantiles"][..., :, None]
        return _rows(binding, errors, batch, 2)

    def _given(self, binding: Binding, given: Mapping[str, Any], name: str) -> Any:
        """A parameter, or what the formula takes in its place."""
        value = given.get(name)
        value = NEUTRAL.get(name) if value is None else value
        if value is None and name == "t":
            return _one_of_all(given["counts"].sum(-1), "t")
        if value is None and name == LEVELS:
            count = given["quantiles"].shape[-1]
            return ((2 * np.arange(count) + 1) / (2 * count)).astype(given["quantiles"].dtype)
        if value is None and given.get(OTHER_WAY.get(name, "")) is not None:
            return _other_way(name, given[OTHER_WAY[name]])
        if isinstance(value, str) and name == "baseline" and given["rewards"].shape[-1] == 1:
            return given["rewards"][..., 0]  # the mean of one reward
        return value

    # what comes back

    def restore(self, binding: Binding, array: Any, given: Mapping[str, Any]) -> Any:
        """An output in the formula's layout; unchanged where its shape says that it is something else."""
        if is_agent(binding):
            return restored(binding, array, given)
        batch = self._batch(given)
        if binding.single == "row" and self.event in self.formula.answer.shape:
            return array[..., None] if array.ndim < 1 + len(batch) else array
        if binding.single == "column" and array.shape[-1:] == (1,):
            array = array[..., 0]
        if binding.layout == "[N]" and array.shape[:1] == (math.prod(batch),):
            return array.reshape((*batch, *array.shape[1:]))
        return array

    # what is tried

    def variations(self, binding: Binding, backends: tuple[str, ...], lists_first: bool) -> Iterator[Binding]:
        """Layouts to try, the likeliest first."""
        rows = self.event or LEVELS in binding.roles
        singles = ["plain", "row"] if rows else ["plain", "column"]
        laid = in_order(LAYOUTS, lists_first)
        for way in ways(binding, backend=backends, single=singles, laid=laid):
            if way.form != "list" or way.backend == backends[0]:
                yield way

    def conveys(self, binding: Binding) -> frozenset[str]:
        """The formula's own parameters that a binding has a place for."""
        if is_agent(binding):
            return frozenset(conveyed(binding) & self.own.keys()) | binding.fixed.keys()
        made = {MADE_OF[role][0] for role in binding.roles & MADE_OF.keys()}
        made |= {name for role in binding.roles & SEVERAL.keys() for name in SEVERAL[role]}
        found = (binding.roles & self.own.keys()) | made
        found |= {OTHER_WAY[name] for name in found & OTHER_WAY.keys()} & self.own.keys()
        return frozenset(found) | binding.fixed.keys() | NOT_OF_ALL.get(self.formula.name, frozenset())

    def core(self, formula: Formula) -> frozenset[str]:
        """Roles without which nothing can be computed."""
        special = {name for form in formula.forms for name in form.parameters}
        special |= NOT_OF_ALL.get(formula.name, frozenset())
        return frozenset(p.name for p in formula.parameters if p.required and p.name not in special)

    def probes(self, binding: Binding) -> list[Arrays]:
        """Arguments that tell readings apart: numbers without a pattern, dimensions of different lengths."""
        if is_agent(binding):
            return agent_probes(self.formula, binding)
        found = [self._probe(binding, number, ()) for number in range(3)]
        rows = self._probe(binding, 3, (ROWS,))
        if binding.layout == ONE:  # a call for each row is held to no fewer of them
            return found + [self._row(rows, number) for number in range(ROWS)]
        return [rows, *found]

    def _row(self, rows: Arrays, number: int) -> Arrays:
        """One of several rows of arguments."""
        return {
            name: value[number] if np.ndim(value) > len(self.own[name].shape) else value
            for name, value in rows.items()
        }

    def _probe(self, binding: Binding, number: int, batch: tuple[int, ...]) -> Arrays:
        lengths = {**LENGTHS, self.event: 1} if binding.single == "row" else LENGTHS
        conveyed = self.conveys(binding)
        conveyed -= {log for plain, log in LOGARITHMS.items() if plain in conveyed}
        given: Arrays = {}
        for place, p in enumerate(self.formula.parameters):
            if p.name in conveyed:
                shape = (*(() if not p.shape else batch), *(lengths[axis] for axis in p.shape))
                given[p.name] = _probed(
                    p, shape if any(q.shape for q in self.own.values()) else batch, number, place
                )
            elif p.default is None:
                given[p.name] = None
        return given


def _rows(binding: Binding, array: Any, batch: tuple[int, ...], axes: int) -> Any:
    """An array as it is, or with the rows of a batch one below the other.

    Args:
        axes: how many it has of its own, the last ones.
    """
    if binding.layout == "[N]":
        core = array.shape[array.ndim - axes :]
        array = np.broadcast_to(array, (*batch, *core)).reshape(math.prod(batch), *core)
    return listed(binding, array)


def _one_of_all(totals: Any, name: str) -> Any:
    """The number that all rows have in common."""
    if (totals != totals.flat[0]).any():
        raise Unfit(f"one {name} a call")
    return totals.flat[0]


def _other_way(name: str, other: Any) -> Any:
    """A number of its logarithm, or the logarithm of a number."""
    log = name in LOGARITHMS.values()
    logs = np.log(other) if log else other
    if (np.abs(logs) > LARGEST_LOG).any():
        raise Unfit(f"{OTHER_WAY[name]} beyond exp(±{LARGEST_LOG:g}) makes no exact {name}")
    return logs if log else np.exp(other)


def _probed(p: Parameter, shape: tuple[int, ...], number: int, place: int) -> Any:
    """Numbers of a parameter's domain."""
    if p.name in PROBED and not shape:
        return np.asarray(PROBED[p.name][number % 3])
    if p.name == LEVELS:
        shape = shape[-1:]
    count = math.prod(shape)
    raw = np.array([(31 * number + 29 * place + k * k * 23 + 47 * k) % 101 for k in range(count)])
    raw = raw.reshape(shape)
    if p.name == "actions":
        return raw % LENGTHS["A"]
    if p.kind in ("integer", "count"):
        return 1 + raw % 9
    if p.distribution:
        weights = 1.0 + raw % 7
        return weights / weights.sum(-1, keepdims=True)
    if p.name == "gradient":  # of preferences, its entries add up to 0
        return (raw - raw.mean(-1, keepdims=True)) / 64
    low, high = p.domain.low, p.domain.high
    if low is not None and high is not None:
        return float(low) + float(high - low) * (raw + 1) / 128
    return (raw + 1) / 32 if low is not None else (raw - 50) / 32
