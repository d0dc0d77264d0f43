"""Is my function right? In the browser: a pasted function of plain Python on the certified vectors.

The function runs where the page's Python runs, in a worker that the page ends after some seconds.
What its parameters mean is found by their names, as for ``rlcalc conform``, which asks for more:
batches, both dtypes, generated cases, pairs of bugs.
"""

from __future__ import annotations

import ast
import inspect
import math
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlcalc.conform.binding.words.names import SEQUENCE, family, roles_of
from rlcalc.conform.target.load import load_function
from rlcalc.digits import least_digits, read_decimal
from rlcalc.errors import InputError, shown
from rlcalc.nested import flatten, map_nested, outline
from rlcalc.specs import load_formula

_SAME = 1e-9  # relative difference of two answers that come from the same formula
_FLAGS = ("terminated", "truncated")
# roles of a sequence that are no parameter of its formula, by the input that they are read from
_READ_FROM = {"last_value": "values", "done": "terminated", "mask": "terminated", "length": "rewards"}

Given = Mapping[str, Any]


@dataclass(frozen=True)
class _Binding:
    """How a function is called.

    Attributes:
        readings: what every parameter was taken for.
    """

    readings: Mapping[str, str]

    @property
    def conveys(self) -> set[str]:
        """Inputs of the formula that reach the function."""
        return {_READ_FROM.get(role, role) for role in self.readings.values()}

    def arguments(self, given: Given) -> dict[str, Any]:
        """The value of every parameter from the inputs of a vector; one that it does not have is left out."""
        found = {name: self._value(role, given) for name, role in self.readings.items()}
        return {
            name: map_nested(lambda part: part, value) for name, value in found.items() if value is not None
        }

    def _value(self, role: str, given: Given) -> Any:
        steps = len(given["rewards"]) if "rewards" in given else 0
        off = [False] * steps
        if role == "length":
            return steps
        if role in ("done", "mask"):
            return [float(bool(over) == (role == "done")) for over in given.get("terminated") or off]
        if role == "last_value":
            return given["values"][-1]
        # T + 1 values, or T where what follows has a parameter of its own
        if role == "values" and {"last_value", "next_values"} & set(self.readings.values()):
            return given["values"][:-1]
        if role == "next_values" and given.get(role) is None and given.get("values") is not None:
            return given["values"][1:]
        return off if role in _FLAGS and given.get(role) is None else given.get(role)


def judge(document: Mapping[str, Any], source: str) -> dict[str, Any]:
    """What a pasted function is.

    Args:
        document: as ``rlcalc.site.answers.document`` makes it.
        source: Python that defines the function; the last one defined is asked.

    Returns:
        ``verdict`` (``conforms``, ``conforms-under-convention``, ``nonconforming``, ``raises``), counts,
        the ``matches``, the smallest failing ``case``, ``not_tested`` and how it was ``read``.

    Raises:
        InputError: there is no function, or a parameter whose meaning its name does not say.
    """
    function = _function(source)
    binding = _bind(function, document["formula"])
    ran: list[tuple[int, Any, str]] = []  # place of the vector, answer, why it failed
    left_out = 0
    for place, vector in enumerate(document["vectors"]):
        if not _can_be_asked(vector["given"], binding, document["formula"]):
            left_out += 1
            continue
        ran.append((place, *_ask(function, binding, vector)))
    if not ran:
        raise InputError(
            "nothing_run", "None of the vectors can be put to this function.", "It needs more inputs."
        )
    failed = [(place, got, why) for place, got, why in ran if why]
    matches = _matches(document, ran) if failed else []
    first = min(
        failed,
        key=lambda one: sum(1 for _ in flatten(list(document["vectors"][one[0]]["given"].values()))),
        default=None,
    )
    return {
        "verdict": _verdict(failed, matches),
        "formula": document["formula"],
        "function": function.__name__,
        "passed": len(ran) - len(failed),
        "asked": len(ran),
        "not_asked": left_out,
        "read": dict(binding.readings),
        "matches": [{key: one[key] for key in ("name", "kind", "does", "fix")} for one in matches],
        "case": None if first is None else _case(document, *first),
    }


def _verdict(failed: list[Any], matches: list[Mapping[str, Any]]) -> str:
    if not failed:
        return "conforms"
    if matches and matches[0]["kind"] == "convention":
        return "conforms-under-convention"
    return "raises" if all(got is None for _, got, _ in failed) else "nonconforming"


def _case(document: Mapping[str, Any], place: int, got: Any, why: str) -> dict[str, Any]:
    vector = document["vectors"][place]
    return {
        "id": vector["id"],
        "about": vector["about"],
        "given": {name: _typed(value) for name, value in vector["texts"].items()},
        "right": _typed(vector["right"]),
        "yours": why if got is None else _typed(got),
        "why": why,
    }


def _typed(value: Any) -> str:
    words = [f"{part:.6g}" if isinstance(part, float) else _short(str(part)) for part in flatten(value)]
    return " ".join(words)


def _short(text: str) -> str:
    """A decimal of twenty digits in as many as a reader compares."""
    try:
        return f"{float(text):.6g}" if len(text) > 12 else text
    except ValueError:
        return text


# the function


def _function(source: str) -> Callable[..., Any]:
    """The last function that a source defines; this runs the source."""
    try:
        defined = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    except SyntaxError as error:
        raise InputError(
            "target_import", f"Line {error.lineno}: {error.msg}.", "Paste plain Python."
        ) from None
    if not defined:
        raise InputError("target_not_found", "There is no function.", "Paste one that begins with def.")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pasted.py"
        path.write_text(source, "utf-8")
        return load_function(f"{path}:{defined[-1]}")


def _bind(function: Callable[..., Any], formula: str) -> _Binding:
    """What every parameter means, by its name."""
    own = [parameter.name for parameter in load_formula(formula).parameters]
    known = {*own, *(_READ_FROM if formula in SEQUENCE else ())}
    readings = {}
    for one in inspect.signature(function).parameters.values():
        role = one.name if one.name in own else next(iter(roles_of(one.name, family(formula))), "")
        if role in known:
            readings[one.name] = role
        elif one.default is inspect.Parameter.empty:
            raise InputError(
                "target_signature",
                f"What {shown(one.name)} means is not known here.",
                f"Call the parameters {', '.join(own)}, or use 'rlcalc conform --map'.",
            )
    return _Binding(readings)


def _can_be_asked(given: Given, binding: _Binding, formula: str) -> bool:
    """Whether the function hears all that the vector says; a discount per step is not asked for."""
    spec = load_formula(formula)
    for name, value in given.items():
        if spec.parameter(name).each and isinstance(value, list):
            return False
        if name not in binding.conveys and _says_something(spec.parameter(name), value):
            return False
    return True


def _says_something(parameter: Any, value: Any) -> bool:
    if parameter.kind == "flag" or parameter.default == "zeros":
        return any(flatten(value))
    return parameter.default is None


# the answers


def _ask(function: Callable[..., Any], binding: _Binding, vector: Mapping[str, Any]) -> tuple[Any, str]:
    """The answer, and why it is wrong; empty where it is right."""
    arguments = binding.arguments(vector["given"])
    try:
        got = _numbers(function(**arguments))
    except Exception as error:
        return None, f"{type(error).__name__}: {error}".splitlines()[0][:200]
    truth = map_nested(read_decimal, vector["right"])
    if outline(got) != outline(truth):
        return got, "it has another shape"
    digits = least_digits(got, truth, "float64", vector["scale"])
    if digits < vector["digits"]:
        return got, f"{max(digits, 0.0):.1f} correct digits, {vector['digits']:g} required"
    return got, ""


def _numbers(value: Any) -> Any:
    """The answer among what was returned: the first of several, the first of a dict, as floats."""
    if isinstance(value, dict):
        value = next(iter(value.values()))
    if isinstance(value, tuple) and value and isinstance(value[0], list | tuple):
        value = value[0]
    return map_nested(float, value)


def _matches(document: Mapping[str, Any], ran: list[tuple[int, Any, str]]) -> list[Mapping[str, Any]]:
    """Bugs and conventions that give these very answers; those that fit in more places first."""
    found = [
        one for one in document["known"] if all(_alike(got, one["answers"][place]) for place, got, _ in ran)
    ]
    return sorted(found, key=lambda one: one["kind"] != "fault")


def _alike(got: Any, other: Any) -> bool:
    if got is None or other is None:
        return got is None and other is None
    if outline(got) != outline(other):
        return False
    return all(map(_near, flatten(got), flatten(other)))


def _near(one: float, other: float | str) -> bool:
    mine, its = float(one), float(other)
    if math.isnan(mine) or math.isnan(its):
        return math.isnan(mine) and math.isnan(its)
    return math.isclose(mine, its, rel_tol=_SAME, abs_tol=1e-12)
