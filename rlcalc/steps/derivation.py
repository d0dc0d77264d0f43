"""A derivation: the steps that lead from the inputs to the outputs.

The exact form of a formula builds one. Each step names a quantity, says with
a term how it comes from earlier ones, and fixes its value by evaluating that
term; outputs are terms of the same tree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from typing import TYPE_CHECKING, Any

from rlcalc.errors import DataError
from rlcalc.exact import to_sympy
from rlcalc.exact.effort import charge, page_cost
from rlcalc.nested import flatten, map_nested
from rlcalc.steps.printers import WIDTH, print_latex, step_lines, step_text
from rlcalc.steps.terms import Name, Step, Symbol, Term

if TYPE_CHECKING:
    from rlcalc.specs import Formula

_OUTPUT_TIMES = 3

OutputTerms = Term | str | Sequence["OutputTerms"]


class Derivation:
    """Steps, outputs and notes of one exact computation.

    Attributes:
        formula: the specification it follows.
        inputs: the inputs as text in the expression grammar.
        steps: in the order of reading.
        notes: remarks that are no step (an assumption, a convention used).
        row: of a table, from 1, that the steps to come belong to; 0 for none.
    """

    def __init__(self, formula: Formula, inputs: Mapping[str, Any] | None = None) -> None:
        self.formula = formula
        self.inputs: dict[str, Any] = dict(inputs or {})
        self.steps: list[Step] = []
        self.notes: list[str] = []
        self.row = 0
        self._outputs: dict[str, OutputTerms] = {}

    # building

    def given(self, name: Name | str, value: Any) -> Symbol:
        """An input under its name in the formula."""
        return Symbol(name if isinstance(name, Name) else Name(name), to_sympy(value))

    def step(self, name: Name | str, term: Term, note: str = "", *, shown: bool = True) -> Symbol:
        """Evaluate a term, give the result a name and record how it came about.

        ``shown=False`` keeps a quantity out of the printed steps: the later
        entries of a long vector, whose first entry was shown in full.
        """
        name = name if isinstance(name, Name) else Name(name)
        value = term.value
        if shown:
            charge(page_cost(value) + sum(page_cost(leaf.value) for leaf in term.leaves()), "page")
            self.steps.append(Step(name, term, note, self.row))
        return Symbol(name, value, term)

    def output(self, name: str, term: OutputTerms) -> None:
        """Declare a result.

        Raises:
            DataError: ``bad_spec`` when the specification has no such output.
        """
        if name not in {output.name for output in self.formula.outputs}:
            raise DataError("bad_spec", f"{self.formula.name}.toml declares no output {name!r}.")
        for value in flatten(_worth(term)):
            if not isinstance(value, str):
                # twice as text, and with digits in two lengths
                charge(_OUTPUT_TIMES * page_cost(value), "page")
        self._outputs[name] = term

    def note(self, text: str) -> None:
        if text and text not in self.notes:
            self.notes.append(text)

    # reading

    @property
    def rows(self) -> int:
        """Rows of a table that have steps of their own."""
        return max((step.row for step in self.steps), default=0)

    def of_row(self, row: int) -> Derivation:
        """The same with the steps of one row only."""
        found = copy(self)
        found.steps = [step for step in self.steps if step.row == row]
        return found

    @property
    def outputs(self) -> dict[str, Any]:
        """Exact results: SymPy expressions, nested lists of them, or words."""
        order = [output.name for output in self.formula.outputs if output.name in self._outputs]
        return {name: _worth(self._outputs[name]) for name in order}

    @property
    def answer(self) -> Any:
        """The first output."""
        return next(iter(self.outputs.values()))

    def text(self, width: int = WIDTH) -> str:
        """All steps as plain text: a line each where it fits, one ``=`` a line where not."""
        return "\n".join(line for step in self.steps for line in step_lines(step, width))

    def latex(self, *, pages: bool = False) -> str:
        """All steps as one LaTeX ``aligned`` block, without delimiters.

        Args:
            pages: as ``align*`` instead, which stands in running text and breaks across pages.
        """
        lines = [line for step in self.steps for line in print_latex(step)]
        if pages and lines:
            from rlcalc.steps.broken import broken

            lines = [part for line in lines for part in broken(line)]
            # in a group of its own, so that the rest of a document keeps its setting
            body = " \\\\\n".join(lines)
            return f"{{\\allowdisplaybreaks\n\\begin{{align*}}\n{body}\n\\end{{align*}}}}"
        return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"

    def json_steps(self) -> list[dict[str, str]]:
        """Steps for the JSON contract: ``text``, ``latex`` and, if any, ``note``."""
        found = []
        for step in self.steps:
            entry = {"text": step_text(step), "latex": " ".join(print_latex(step)).replace("&", "")}
            if step.note:
                entry["note"] = step.note
            found.append(entry)
        return found

    def _repr_latex_(self) -> str:
        from rlcalc.steps import notebook

        return notebook.latex(self.formula, self.inputs, self.outputs, self.steps, self.notes)

    def _repr_html_(self) -> str:
        from rlcalc.steps import notebook

        return notebook.html(self.formula, self.inputs, self.outputs, self.steps, self.notes)

    def __repr__(self) -> str:
        return f"<Derivation of {self.formula.name}: {len(self.steps)} steps>"


def _worth(term: OutputTerms) -> Any:
    return map_nested(lambda part: part.value if isinstance(part, Term) else part, term)
