"""A pytest module that fails as long as a function does; it needs NumPy, the function and nothing of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rlcalc.conform.binding.bound import BoundTarget
from rlcalc.conform.binding.plays import Replay
from rlcalc.conform.convention import Convention
from rlcalc.conform.outcome import Judgement
from rlcalc.conform.target.base import Target
from rlcalc.conform.target.program import Program, case_json
from rlcalc.conform.trial import chain
from rlcalc.conform.vectors import Vector, answer_name
from rlcalc.golden.values import output_of
from rlcalc.specs import Derivative

WIDTH = 80


def pytest_text(judgement: Judgement, target: Target, under: Sequence[Convention], exact: Any = None) -> str:
    """The test of one failing case.

    Args:
        judgement: what failed.
        target: that was asked.
        under: conventions that it was judged under.
        exact: the right answer as text, for a comment.
    """
    vector = judgement.vector
    if isinstance(target, Replay):
        return _played(target, vector.formula.name)
    head, call = _importing(target)
    body = _called(judgement, target, chain([c for c in under if c.call is not None]), call)
    if isinstance(target, BoundTarget):
        head += ["from rlcalc.conform.binding.bound import answers", "", 'BINDING = """']
        # how it is called is all that a test has to know: not how that was found
        called = replace(target.reading, agreed="", like=(), excludes=(), notes=())
        head += [*called.text().rstrip("\n").split("\n"), '"""']
        # the binding takes arrays and gives arrays, whatever the function takes and gives
        target = Target(target.name, target.function)
        if judgement.status != "changes-inputs":
            body += _checks(judgement, target, exact)
    else:
        body += _checks(judgement, target, exact)
    lines = [*head, "", "", f"def test_{vector.formula.name}_counterexample():"]
    lines.append(f'    """{judgement.status}: {_plain_words(judgement.why)}."""')
    if under:
        lines.append(f"    # under {' and '.join(c.name for c in under)}")
    return "\n".join([*lines, *body]) + "\n"


def _played(target: Replay, formula: str) -> str:
    """The test of a function that plays by itself: what it is held to depends on what it does."""
    head, call = _importing(target)
    test = [f"def test_{formula}():", f'    assert conform({call}, "{formula}").passed']
    return "\n".join(["from rlcalc.conform import conform", *head, "", "", *test]) + "\n"


def _called(judgement: Judgement, target: Target, change: Any, call: str) -> list[str]:
    """Lines that call the function, by its binding where it has one."""
    vector, dtype = judgement.vector, judgement.dtype
    if isinstance(target, BoundTarget):
        given = {name: v for name, v in target.meant(vector, dtype, change).items() if v is not None}
        return [f"    given = {_table(given, 'numpy')}", f"    got = answers({call}, BINDING, given)"]
    arguments = target.arguments(vector, dtype, change)
    if isinstance(target, Program):
        return _asking(target, vector, dtype, arguments)
    lines = [f"    given = {_table(arguments, target.backend)}"]
    if judgement.status == "changes-inputs":
        lines += ["    parts = dict(given)"]
        # the arrays of a decision process one by one
        tables = [name for name, value in arguments.items() if isinstance(value, Mapping)]
        lines += [f'    parts |= parts.pop("{name}")' for name in tables]
        lines += ["    before = {name: np.array(value) for name, value in parts.items()}"]
    return [*lines, *_asked_for_gradient(judgement), f"    got = {call}(**given)"]


def expected_answer(judgement: Judgement) -> Any:
    """The right answer; also for a target that raised or never came back."""
    if judgement.expected is not None:
        return judgement.expected
    return judgement.vector.truth.get(answer_name(judgement.vector.formula))


def _importing(target: Target) -> tuple[list[str], str]:
    """Lines that bring the function in, and what it is called there."""
    if isinstance(target, Program):
        return ["import json", "import subprocess", "", "import numpy as np"], ""
    lines = ["import numpy as np"]
    if target.backend == "torch":
        lines.append("import torch")
    if target.backend == "jax":
        lines += ["import jax", "import jax.numpy as jnp"]
        if "float64" in target.dtypes:
            lines += ["", 'jax.config.update("jax_enable_x64", True)  # before the import of the function']
    if target.source:
        head = ["from __future__ import annotations", "", *lines, "", ""]
        return [*head, *target.source.split("\n")], target.called
    place, _, attribute = target.name.rpartition(":")
    first = attribute.split(".")[0]
    if not place:
        return [*lines, "", "# import the function under test", f"# from ... import {first}"], attribute
    if not place.endswith(".py"):
        return [*lines, "", f"from {place} import {first}"], attribute
    # by its path, which may be no name of a module
    path = Path(place).resolve()
    lines = ["import importlib.util", "import sys", "", *lines, ""]
    lines += [f"sys.path.insert(0, {str(path.parent)!r})"]
    lines += _wrapped(
        f'spec = importlib.util.spec_from_file_location("under_test", {str(path)!r})', "", "    "
    )
    lines += ["under_test = importlib.util.module_from_spec(spec)", "sys.modules[spec.name] = under_test"]
    return [*lines, "spec.loader.exec_module(under_test)"], f"under_test.{attribute}"


def _asking(target: Program, vector: Vector, dtype: str, arguments: Mapping[str, Any]) -> list[str]:
    case = json.dumps(case_json(vector, dtype, arguments))
    return [
        f"    case = {case!r}",
        f"    done = subprocess.run({target.words!r}, input=case + '\\n', text=True, capture_output=True,",
        f"                          timeout={target.limit:g}, check=True)",
        "    answer = json.loads(done.stdout.splitlines()[0])",
        '    got = answer.get("answer", answer.get("outputs"))',
    ]


def _asked_for_gradient(judgement: Judgement) -> list[str]:
    slope = _slope(judgement)
    return [f'    given["{slope.by}"].requires_grad_()'] if slope is not None else []


def _slope(judgement: Judgement) -> Derivative | None:
    """Of what and by what the output that failed is a derivative, where autograd found it."""
    outcome = judgement.outcome
    derived = outcome is not None and judgement.output in outcome.derived
    return output_of(judgement.vector.formula, judgement.output).derivative if derived else None


def _checks(judgement: Judgement, target: Target, exact: Any) -> list[str]:
    outcome, formula = judgement.outcome, judgement.vector.formula
    if judgement.status == "changes-inputs":
        names = ", ".join(outcome.changed) if outcome is not None else ""
        return [
            f"    # it changes {names} in place",
            "    for name, value in before.items():",
            "        np.testing.assert_array_equal(np.asarray(parts[name]), value)",
        ]
    lines, form = [], "array" if outcome is None else outcome.form
    slope = _slope(judgement) if target.backend == "torch" else None
    if form == "mapping":
        lines.append(f'    got = got["{judgement.output if slope is None else slope.of}"]')
    elif form == "tuple":
        lines.append("    got = got[0]")
    elif outcome is not None and outcome.kind != "answer":
        # it is not known yet whether it names its outputs
        lines.append(f'    got = got["{answer_name(formula)}"] if isinstance(got, dict) else got')
    first_of = judgement.output and output_of(formula, judgement.output).of
    if outcome is not None and form != "mapping" and first_of:
        # after the axes of a batch, if there are any
        lines.append(
            "    got = got[..., 0]" if target.backend == "torch" else "    got = np.asarray(got)[..., 0]"
        )
    expected = expected_answer(judgement)
    if expected is None:
        return [*lines, "    assert got is not None"]
    comment = str(exact).replace("'", "")
    if exact is not None and len(comment) <= 200:
        lines += _wrapped(f"# exactly {comment}", "    ", "    # ")
    if target.backend == "torch":
        if slope is not None:
            lines += ["    got.sum().backward()", f'    got = given["{slope.by}"].grad']
        lines.append("    got = got.detach().cpu().numpy()")
    lines += _wrapped(f"want = np.array({_numbers(expected)})", " " * 4, " " * 8)
    if slope is not None:
        lines.append("    got = got[tuple(slice(0, n) for n in want.shape)]")
    lines.append("    assert np.shape(got) == want.shape")
    if judgement.status == "wrong-dtype":
        lines.append(f'    assert np.asarray(got).dtype == "{judgement.dtype}"')
    required = judgement.vector.demanded[judgement.dtype]
    loose = f"{judgement.vector.scale * 10**-required:.0e}"
    lines.append(f"    np.testing.assert_allclose(got, want, rtol=1e-{required:.0f}, atol={loose})")
    return lines


def _plain_words(text: str) -> str:
    """Words of a foreign exception inside a docstring of ours."""
    kept = "".join(c if c.isprintable() and c not in '"\\' else "'" for c in text)
    return kept[:60].rstrip(". ")


def _table(arguments: Mapping[str, Any], backend: str) -> str:
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
    """Code or a comment on lines of 80; no string literal is divided."""
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
