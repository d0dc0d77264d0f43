"""A page for every formula: what it is, a worked example, inputs, accuracy, bugs, vectors, code."""

from __future__ import annotations

import inspect
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module

from rlcalc.api import numeric_function
from rlcalc.cli.formula import read_inputs
from rlcalc.cli.pages import command_line, facts
from rlcalc.conform.catalogue import Catalogue
from rlcalc.conform.faults import catalogue, formulas_with_faults
from rlcalc.evaluation import derive
from rlcalc.golden.files import GoldenFile, load_all
from rlcalc.golden.results import CaseReport
from rlcalc.golden.verify import verify
from rlcalc.heads import GROUPS, formula_names, heads
from rlcalc.nested import flatten
from rlcalc.site import markdown as md
from rlcalc.site.drawings import drawing
from rlcalc.site.plot import Point, accuracy
from rlcalc.specs import Formula, load_formula

FORMS = ("exact_form", "array_form", "numpy_form", "torch_form")
_MOST_STEPS = 12


def pages() -> Iterator[tuple[str, str]]:
    """Path and text of every page of formulas."""
    files = {file.formula: file for file in load_all()}
    digits = _digits(list(files.values()))
    yield "formulas/index.md", _index()
    for name in formula_names():
        spec = load_formula(name)
        yield f"formulas/{name}.md", _page(spec, files.get(name), digits.get(name, {}))
        if spec.plot:
            yield f"formulas/{name}.svg", drawing(spec)


def _index() -> str:
    parts = []
    for group in GROUPS:
        rows = [
            (md.link(md.text(head.title), f"{head.name}.md"), md.code(head.command), head.place)
            for head in heads()
            if head.group == group
        ]
        parts.append(md.section(group, md.table(("formula", "command", "where"), rows)))
    about = (
        "Numbers are sections of the lecture notes, words are stages of training a language model. "
        "Every page has a calculator that runs in your browser."
    )
    return md.document("Formulas", about, *parts)


def _page(spec: Formula, file: GoldenFile | None, digits: Mapping[str, Sequence[Point]]) -> str:
    return md.document(
        md.text(spec.title),
        f"{md.text(spec.origin)}.",
        md.spread(spec.latex),
        md.text(spec.about),
        f'<div class="rlcalc" data-formula="{spec.name}"></div>',
        _example(spec),
        _picture(spec),
        _inputs(spec),
        md.section(
            "Outputs",
            md.table(
                ("name", "symbol", "what it is"),
                [(md.code(o.name), md.mathml(o.latex), md.text(o.about)) for o in spec.outputs],
            ),
        ),
        _conventions(spec),
        _accuracy(spec, digits),
        _faults(spec),
        _vectors(spec, file),
        _code(spec),
        md.section("Sources", md.bullets(md.text(reference) for reference in spec.references)),
    )


def _example(spec: Formula) -> str:
    """The first example with its steps, the others with their answers."""
    first, *others = spec.examples
    derivation = derive(spec.name, **read_inputs(spec, shlex.split(first["args"])))
    steps = [step["latex"] for step in derivation.json_steps()]
    left = len(steps) - _MOST_STEPS
    more = f"… and {left} more steps: the command prints them all." if left > 0 else ""
    return md.section(
        "Worked example",
        md.text(first["about"]),
        md.block(f"$ {command_line(spec, first['args'])} --quiet\n{first['answer']}", "console"),
        md.formula(*steps[:_MOST_STEPS]),
        more,
        *(
            f"{md.text(one['about'])}\n\n"
            + md.block(f"$ {command_line(spec, one['args'])} --quiet\n{one['answer']}", "console")
            for one in others
        ),
    )


def _picture(spec: Formula) -> str:
    """What ``--plot`` draws of the first example."""
    if not spec.plot:
        return ""
    command = f"$ {command_line(spec, spec.examples[0]['args'])} --plot {spec.name}.svg"
    alt = md.text(f"The first example as a picture: {spec.title}")
    return f"{md.block(command, 'console')}\n\n![{alt}]({spec.name}.svg)"


def _inputs(spec: Formula) -> str:
    rows = [
        (md.code(p.option), md.code(p.name), md.mathml(p.latex), md.text(facts(spec, p)), md.text(p.help))
        for p in spec.parameters
    ]
    forms = [
        ", ".join(md.code(spec.parameter(name).option) for name in form.parameters) for form in spec.forms
    ]
    return md.section(
        "Inputs",
        md.table(("option", "in Python", "symbol", "what may be given", "what it is"), rows),
        f"It is called in one of these ways: {'; '.join(forms)}." if forms else "",
    )


def _conventions(spec: Formula) -> str:
    own = [f"**{md.text(c['name'])}.** {md.text(c['about'])}" for c in spec.conventions]
    known = _known(spec)
    rows = [
        (md.link(md.code(way.name), f"../conventions/{way.name}.md"), md.text(way.about), md.text(way.users))
        for way in ((*known.conventions, *known.families) if known else ())
    ]
    others = md.table(("convention", "what is computed", "who uses it"), dict.fromkeys(rows))
    said = "Other answers that are right where they are declared (`rlcalc conform --convention NAME`):"
    return md.section("Conventions", md.bullets(own), said if others else "", others)


def _known(spec: Formula) -> Catalogue | None:
    return catalogue(spec.name) if spec.name in formulas_with_faults() else None


def _faults(spec: Formula) -> str:
    known = _known(spec)
    rows = [
        (md.link(md.code(f.name), f"../faults/{f.name}.md"), f.kind, md.text(f.does))
        for f in (known.faults if known else ())
    ]
    said = f"`rlcalc conform FILE:FUNCTION --formula {spec.name}` finds these in your function."
    return (
        md.section("Known bugs", said, md.table(("bug", "about", "what it computes"), rows)) if rows else ""
    )


def _vectors(spec: Formula, file: GoldenFile | None) -> str:
    if file is None:
        return ""
    rows = [
        (md.code(flag.name), str(sum(flag in case.flags for case in file.cases)), md.text(flag.about))
        for flag in file.flags.values()
    ]
    where = f"../vectors/{spec.name}.json"
    return md.section(
        "Vectors",
        f'{len(file.cases)} certified cases: <a href="../{where}" download>{spec.name}.json</a>.',
        md.table(("flag", "cases", "why they are there"), rows),
    )


def _accuracy(spec: Formula, digits: Mapping[str, Sequence[Point]]) -> str:
    if not any(digits.values()):
        return ""
    least = {dtype: min(d for _, d in found) for dtype, found in digits.items() if found}
    said = ", ".join(f"{value:.1f} in {dtype}" for dtype, value in least.items())
    about = f"Least correct digits of the NumPy form on any certified case: {said}."
    return md.section(
        "Accuracy",
        f"{about} A mark is a case; a line is what the dtype can hold.",
        f"<div>{accuracy(digits, about)}</div>",
    )


def _code(spec: Formula) -> str:
    module = import_module(f"rlcalc.formulas.{spec.name}")
    forms = [getattr(module, name) for name in FORMS[1:] if hasattr(module, name)]
    signature = f"rlcalc.{spec.name}{inspect.signature(numeric_function(spec.name))}"
    sources = [
        inspect.getsource(form) for form in forms if getattr(form, "__module__", "") == module.__name__
    ]
    said = f"The forms that NumPy and Torch run, in `rlcalc/formulas/{spec.name}.py`:"
    return md.section(
        "In Python",
        md.block(signature, "python"),
        said if sources else "",
        *(md.block(source, "python") for source in sources),
    )


def _digits(files: Sequence[GoldenFile]) -> dict[str, dict[str, list[Point]]]:
    """Correct digits of the NumPy form over the length of the longest input, by formula and dtype."""
    dtypes = ("float64", "float32")
    report = verify([case for file in files for case in file.cases], ("numpy",), dtypes)
    found: dict[str, dict[str, list[Point]]] = {}
    for one in report.cases:
        points = found.setdefault(one.case.formula, {dtype: [] for dtype in dtypes})
        for run in one.runs:
            if run.digits is not None and run.dtype in points:
                points[run.dtype].append((_longest(one), round(run.digits, 1)))
    sys.stderr.flush()
    return found


def _longest(report: CaseReport) -> int:
    return max((sum(1 for _ in flatten(value)) for value in report.case.given.values()), default=1)
