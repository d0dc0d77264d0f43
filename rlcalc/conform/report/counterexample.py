"""The smallest failing case as something to read and something to run.

What a maintainer needs: the inputs, the exact answer with its steps, what
the function said instead, and a pytest test that fails until it is mended.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlcalc.conform.outcome import Judgement, wrong_entry
from rlcalc.conform.vectors import Vector, answer_name
from rlcalc.errors import RlcalcError
from rlcalc.specs import Formula

if TYPE_CHECKING:
    from rlcalc.conform.runner import ConformReport
    from rlcalc.conform.target.base import Target

WIDTH = 80


@dataclass(frozen=True)
class Counterexample:
    """One failing case.

    Attributes:
        case: id of a golden case, or ``generated``.
        inputs: exact, as text by parameter; of the failing entry of a batch.
        expected: the right answer as text, in the shape of the whole answer; ``exact`` unless
            a convention gives it.
        got: what the function answered; ``None`` where it did not.
        steps: how the exact answer comes about; empty under a convention and for long cases.
        test: a pytest module.
        command: the ``rlcalc`` command that computes the right answer.
        batch: axes of the case, of which ``inputs`` is one entry, or all of them where it is ``whole``.
    """

    case: str
    dtype: str
    status: str
    why: str
    output: str
    inputs: Mapping[str, Any]
    expected: Any
    got: Any
    steps: tuple[str, ...]
    test: str
    command: str
    batch: tuple[int, ...] = ()
    flaky: bool = False
    whole: bool = False
    exact: bool = True


def counterexample(report: ConformReport, target: Target) -> Counterexample | None:
    """The smallest case that a target fails; ``None`` when it fails none."""
    found = report.found
    kind = "wrong" if report.verdict == "nonconforming" else report.verdict
    # one that shows the verdict, before others that may be smaller
    if found is not None and (
        found.judgement.status == kind or all(j.status != kind for j in report.failures)
    ):
        judgement, at = found.judgement, found.row
        rows: Sequence[Mapping[str, Any]] = found.rows
    elif report.failures:
        found = None
        judgement = min(report.failures, key=lambda j: (j.status != kind, *_size(j.vector)))
        rows = judgement.vector.rows or (dict(judgement.vector.texts),)
        at = min(wrong_entry(judgement), len(rows) - 1)
    else:
        return None
    batch = tuple(_batch(judgement.vector)) if found is not None or judgement.vector.rows else ()
    # of one number for a whole batch no entry is the wrong one
    whole = len(rows) > 1 and any(c.reduces for c in report.tried_under)
    row = _joined(rows) if whole else rows[at]
    formula = judgement.vector.formula
    from rlcalc.golden.replay import command_line

    # what is right under a convention is computed in floating point
    exact = not report.tried_under
    texts = {name: _text(value) for name, value in row.items() if value is not None}
    return Counterexample(
        case=judgement.vector.id,
        dtype=judgement.dtype,
        status=judgement.status,
        why=judgement.why,
        output=judgement.output,
        inputs=texts,
        expected=_text(_expected(judgement)) if exact else _near(judgement.expected),
        got=judgement.got,
        steps=_steps(formula, texts) if exact else (),
        test=pytest_text(judgement, target, report),
        command=command_line(formula, texts, "sympy") if exact else "",
        batch=batch,
        flaky=found is not None and found.flaky,
        whole=whole,
        exact=exact,
    )


def _joined(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Inputs of all entries of a batch; one value where they share it."""
    found = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        found[name] = values[0] if all(value == values[0] for value in values) else values
    return found


def _expected(judgement: Judgement) -> Any:
    """The right answer; also for a target that raised or never came back."""
    if judgement.expected is not None:
        return judgement.expected
    return judgement.vector.truth.get(answer_name(judgement.vector.formula))


def _size(vector: Vector) -> tuple[int, int]:
    arrays = [value for value in vector.arrays.values() if hasattr(value, "size")]
    return sum(a.size for a in arrays), len(str(vector.texts))


def _batch(vector: Vector) -> Sequence[int]:
    """Axes before those that the answer itself has."""
    from rlcalc.golden.values import output_of

    name = answer_name(vector.formula)
    shape: list[int] = []
    value = vector.truth[name]
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0]
    return shape[: len(shape) - len(output_of(vector.formula, name).shape)]


def _text(value: Any) -> Any:
    """Exact numbers as text in nested lists."""
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return [_text(part) for part in value]
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Fraction):
        return str(value) if value.denominator.bit_length() < 200 else str(float(value))
    if value is None:
        return None
    return _table_text(value) if isinstance(value, Mapping) else str(value)


def _near(value: Any) -> Any:
    """Answers of a convention: as short as the float is, unless it is a plain fraction."""
    if isinstance(value, list):
        return [_near(part) for part in value]
    if isinstance(value, Fraction) and value.denominator.bit_length() > 20:
        return repr(float(value))
    return _text(value)


def _table_text(value: Any) -> Any:
    """A decision process with its numbers as text; names and places of states stay what they are."""
    if isinstance(value, Mapping):
        return {key: _table_text(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_table_text(part) for part in value]
    return str(value) if isinstance(value, Fraction) else value


def _steps(formula: Formula, texts: Mapping[str, Any]) -> tuple[str, ...]:
    from rlcalc.evaluation import derive

    longest = max((len(value) for value in texts.values() if isinstance(value, list)), default=1)
    if longest > 8:  # a page of steps explains nothing
        return ()
    try:
        return tuple(derive(formula.name, **texts).text().splitlines())
    except RlcalcError:
        return ()


# the test


def pytest_text(judgement: Judgement, target: Target, report: ConformReport) -> str:
    """A pytest module that fails as long as the target does."""
    vector, dtype = judgement.vector, judgement.dtype
    under = [c for c in report.tried_under if c.call is not None]
    from rlcalc.conform.trial import chain

    arguments = target.arguments(vector, dtype, chain(under))
    head, call = _importing(target, vector, dtype, arguments)
    name = vector.formula.name
    lines = [*head, "", "", f"def test_{name}_counterexample():"]
    lines.append(f'    """{judgement.status}: {_plain_words(judgement.why)}."""')
    if under or report.tried_under:
        lines.append(f"    # under {' and '.join(c.name for c in report.tried_under)}")
    if call:
        lines += [f"    given = {_table(arguments, target.backend, dtype)}"]
        if judgement.status == "changes-inputs":
            lines += ["    parts = dict(given)"]
            # the arrays of a decision process one by one
            tables = [name for name, value in arguments.items() if isinstance(value, Mapping)]
            lines += [f'    parts |= parts.pop("{name}")' for name in tables]
            lines += ["    before = {name: np.array(value) for name, value in parts.items()}"]
        lines += [f"    got = {call}(**given)"]
    else:
        lines += _asking(target, vector, dtype, arguments)
    lines += _checks(judgement, target, bool(report.tried_under))
    return "\n".join(lines) + "\n"


def _checks(judgement: Judgement, target: Target, under: bool) -> list[str]:
    outcome = judgement.outcome
    if judgement.status == "changes-inputs":
        names = ", ".join(outcome.changed) if outcome is not None else ""
        return [
            f"    # it changes {names} in place",
            "    for name, value in before.items():",
            "        np.testing.assert_array_equal(np.asarray(parts[name]), value)",
        ]
    lines = []
    if outcome is not None and outcome.form == "mapping":
        lines.append(f'    got = got["{judgement.output}"]')
    elif outcome is not None and outcome.form == "tuple":
        lines.append("    got = got[0]")
    elif outcome is not None and outcome.kind != "answer":
        # nobody knows yet whether it names its outputs
        name = answer_name(judgement.vector.formula)
        lines.append(f'    got = got["{name}"] if isinstance(got, dict) else got')
    if outcome is not None and outcome.form != "mapping" and _is_first_entry(judgement):
        # behind the axes of a batch, if there are any
        tensor = target.backend == "torch"
        lines.append("    got = got[..., 0]" if tensor else "    got = np.asarray(got)[..., 0]")
    expected = _expected(judgement)
    if expected is None:
        return [*lines, "    assert got is not None"]
    exact = str(_text(expected)).replace("'", "")
    if len(exact) <= 200 and not under:
        lines += _wrapped(f"# exactly {exact}", "    ", "    # ")
    if target.backend == "torch":
        lines.append("    got = got.detach().cpu().numpy()")
    lines += _wrapped(f"want = np.array({_numbers(expected)})", " " * 4, " " * 8)
    lines.append("    assert np.shape(got) == want.shape")
    if judgement.status == "wrong-dtype":
        lines.append(f'    assert np.asarray(got).dtype == "{judgement.dtype}"')
    demanded = judgement.vector.demanded[judgement.dtype]
    loose = f"{judgement.vector.scale * 10**-demanded:.0e}"
    lines.append(f"    np.testing.assert_allclose(got, want, rtol=1e-{demanded:.0f}, atol={loose})")
    return lines


def _is_first_entry(judgement: Judgement) -> bool:
    """Whether the output at fault is the first entry of the answer."""
    from rlcalc.golden.values import output_of

    return bool(judgement.output) and bool(output_of(judgement.vector.formula, judgement.output).of)


def _plain_words(text: str) -> str:
    """Words of a foreign exception inside a docstring of ours."""
    kept = "".join(c if c.isprintable() and c not in '"\\' else "'" for c in text)
    return kept[:60].rstrip(". ")


def _importing(
    target: Target, vector: Vector, dtype: str, arguments: Mapping[str, Any]
) -> tuple[list[str], str]:
    """Lines that bring the function in, and its name; no name for a program."""
    lines = ["import numpy as np"]
    if target.backend == "torch":
        lines.append("import torch")
    if target.backend == "jax":
        lines += ["import jax", "import jax.numpy as jnp"]
        if "float64" in target.dtypes:
            lines += ["", 'jax.config.update("jax_enable_x64", True)  # before the import of the function']
    from rlcalc.conform.target.program import Program

    if isinstance(target, Program):
        return ["import json", "import subprocess", "", "import numpy as np"], ""
    if target.source:
        return [
            "from __future__ import annotations",
            "",
            *lines,
            "",
            "",
            *target.source.split("\n"),
        ], target.called
    place, _, attribute = target.name.rpartition(":")
    first = attribute.split(".")[0]
    if not place:
        return [
            *lines,
            "",
            "# import the function under test",
            f"# from ... import {target.name}",
        ], target.name
    if place.endswith(".py"):
        path = Path(place).resolve()
        lines = ["import sys", "", *lines, "", f"sys.path.insert(0, {str(path.parent)!r})"]
        lines.append(f"from {path.stem} import {first}")
    else:
        lines += ["", f"from {place} import {first}"]
    return lines, attribute


def _asking(target: Target, vector: Vector, dtype: str, arguments: Mapping[str, Any]) -> list[str]:
    import json

    from rlcalc.conform.target.program import Program, case_json

    words = target.words if isinstance(target, Program) else []
    case = json.dumps(case_json(vector, dtype, arguments))
    return [
        f"    case = {case!r}",
        f"    done = subprocess.run({words!r}, input=case + '\\n', text=True, capture_output=True,",
        f"                          timeout={target.limit:g}, check=True)",
        "    answer = json.loads(done.stdout.splitlines()[0])",
        '    got = answer.get("answer", answer.get("outputs"))',
    ]


def _table(arguments: Mapping[str, Any], backend: str, dtype: str) -> str:
    lines = ["{"]
    for name, value in arguments.items():
        if isinstance(value, Mapping):
            lines.append(f'        "{name}": {{')
            for key, part in value.items():
                lines += _wrapped(f'"{key}": {_literal(part, backend)},', " " * 12, " " * 16)
            lines.append("        },")
        else:
            lines += _wrapped(f'"{name}": {_literal(value, backend)},', " " * 8, " " * 12)
    return "\n".join([*lines, "    }"])


def _literal(value: Any, backend: str) -> str:
    if not hasattr(value, "tolist"):
        return f'float("{value}")' if isinstance(value, float) and value - value != 0 else repr(value)
    numbers, kind = _numbers(value.tolist()), str(value.dtype)
    if backend == "torch":
        return f"torch.tensor({numbers}, dtype=torch.{kind})"
    return f'{"jnp" if backend == "jax" else "np"}.array({numbers}, dtype="{kind}")'


def _numbers(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_numbers, value)) + "]"
    if isinstance(value, bool | str):
        return repr(value)
    number = float(value)
    return repr(number) if number - number == 0 else f'float("{number}")'


# a run of signs without a space, but for those inside a string
_CHUNK = re.compile(r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s'"])+""")


def _wrapped(text: str, first: str, later: str) -> list[str]:
    """Code or a comment on lines of 80; no string literal is parted."""
    lines: list[str] = []
    line = ""
    for chunk in _CHUNK.findall(text):
        indent = later if lines else first
        if line and len(indent) + len(line) + 1 + len(chunk) > WIDTH:
            lines.append(indent + line)
            line = chunk
        else:
            line = f"{line} {chunk}" if line else chunk
    return [*lines, (later if lines else first) + line]
