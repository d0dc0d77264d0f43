"""``__init__.pyi``, written from the specifications, so that editors and type checkers see every signature.

python -m rlcalc._stubs           writes the file next to ``__init__.py``
python -m rlcalc._stubs --check   exit code 1 when it is out of date
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import rlcalc
from rlcalc.api import REQUIRED, signature_of
from rlcalc.files import write_text
from rlcalc.specs import Formula, Parameter, formula_names, load_formula

FILE = Path(rlcalc.__file__).with_name("__init__.pyi")

HEAD = '''"""Written by ``python -m rlcalc._stubs`` from the specifications; do not edit."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, TypeAlias

import torch
from numpy.typing import ArrayLike

'''

_LONG = 80  # characters of the words of a choice

# lists may hold Fractions and tensors as well, which ArrayLike does not know of
ALIASES = """
_Numbers: TypeAlias = ArrayLike | torch.Tensor | Fraction | Sequence[Any]
_Steps: TypeAlias = str | int | float | Fraction | Sequence[Any] | Mapping[Any, Any] | Experience | Table
_Process: TypeAlias = str | Path | Mapping[str, Any] | MDP
"""


def stub() -> str:
    """The text of the file."""
    package: Any = rlcalc
    homes = {"__version__": "rlcalc._version", **package._FROM}
    imports = sorted(f"from {homes[name]} import {name} as {name}" for name in package.__all__)
    imports += ["from rlcalc.experience import Experience, Table", "from rlcalc.mdp.model import MDP"]
    lines = [HEAD + "\n".join(imports), ALIASES.rstrip("\n")]
    for name in formula_names():
        lines += ["", *_function(load_formula(name))]
    return "\n".join(lines) + "\n"


def _function(spec: Formula) -> list[str]:
    shown = signature_of(spec).parameters
    lines = [f"def {spec.name}("]
    for parameter in spec.parameters:
        default = shown[parameter.name].default
        ending = ""
        if default is REQUIRED or default == float("inf"):
            ending = " = ..."
        elif default is not shown[parameter.name].empty:
            ending = f" = {default!r}".replace("'", '"')
        optional = " | None" if default is None else ""
        lines.append(f"    {parameter.name}: {_type(parameter)}{optional}{ending},")
    return [*lines, ") -> Any:", f'    """{spec.title}."""']


def _type(parameter: Parameter) -> str:
    choices = ", ".join(map(repr, parameter.choices)).replace("'", '"')
    if len(choices) > _LONG:  # one a line
        choices = "\n        " + choices.replace(", ", ",\n        ") + ",\n    "
    words = f"Literal[{choices}]" if choices else ""
    if parameter.kind == "mdp":
        return "_Process"
    if parameter.is_text:
        return "_Steps"
    if parameter.kind == "choice":
        return words
    if parameter.kind == "word":
        return "_Numbers | str" if parameter.shape else "str"
    if parameter.kind == "count":
        return "int" if parameter.finite else 'int | float | Literal["inf"]'
    if parameter.is_switch:
        return "bool"
    if parameter.policy:
        return "_Numbers | str | Mapping[str, Any]"
    return f"_Numbers | {words}" if words else "_Numbers"


def main(argv: list[str]) -> int:
    if argv == ["--check"]:
        return int(FILE.read_text("utf-8") != stub())
    write_text(FILE, stub())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
