"""What every derivation and every refusal has to read like, formula by formula, on all golden cases.

A reader knows a formula from its page: the text, the symbols of parameters
and outputs, the conventions. Steps use those names, or introduce one of their
own by a step, and what they say in words looks like the rest of the program.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from fractions import Fraction
from functools import cache

import pytest

from rlcalc.error_codes import is_code
from rlcalc.errors import InputError
from rlcalc.evaluation import checked, derive_bound
from rlcalc.exact import parse_number, to_sympy
from rlcalc.golden.files import Case, shipped
from rlcalc.specs import formula_names, load_formula
from rlcalc.steps.derivation import Derivation
from rlcalc.steps.printers import LATEX_NAMES, LatexPrinter, TextPrinter
from rlcalc.steps.terms import Name, Symbol, Term
from tests.notation import in_grammar
from tests.sweep import in_one

each_formula = in_one("formula", formula_names())

LONGEST = 200  # characters of an input
FUNCTIONS = {"lim", "log"}  # they read the same in every formula
# what names are made of in LaTeX, besides Greek letters
COMMANDS = {
    r"\frac",
    r"\lim",
    r"\infty",
    r"\to",
    r"\log",
    r"\partial",
    r"\lvert",
    r"\rvert",
    r"\mathrm",
    r"\Vert",
}
ACRONYMS = {"JSON", "REINFORCE", "TOML"}


@cache
def derivations(formula: str) -> list[Derivation]:
    """Of all readings but the long ones, which say the same more often."""
    spec = load_formula(formula)
    given = [reading.given for case in cases(formula, refused=False) for reading in case.variants]
    short = [inputs for inputs in given if all(len(value) <= LONGEST for value in map(str, inputs.values()))]
    return [derive_bound(checked(spec, inputs)) for inputs in short]


def cases(formula: str, *, refused: bool) -> list[Case]:
    found = shipped(formula).cases
    return [case for case in found if (case.result == "invalid") == refused and not case.batch]


def leaves(term: Term) -> Iterator[Symbol]:
    """The named quantities of a term, in the order of reading."""
    if isinstance(term, Symbol):
        yield term
        return
    for field in dataclasses.fields(term):  # type: ignore[arg-type]
        part = getattr(term, field.name)
        for inner in part if isinstance(part, tuple) else (part,):
            if isinstance(inner, Term):
                yield from leaves(inner)


def words(text: str) -> set[str]:
    """Runs of letters; digits and marks part them."""
    return set(re.findall(r"[^\W\d_]+", text))


def letters(name: Name) -> set[str]:
    return words(name.base) | words(name.sub) | words(name.sup)


def page(d: Derivation) -> set[str]:
    """Every word that a reader has seen: on the formula's page and in the notes of the derivation."""
    spec = d.formula
    told = [spec.text, *d.notes, *(step.note for step in d.steps), *(c["about"] for c in spec.conventions)]
    told += [f"{p.name} {p.symbol} {p.help}" for p in spec.parameters]
    told += [f"{o.name} {o.symbol} {o.about}" for o in spec.outputs]
    return words(" ".join(told)) | FUNCTIONS


def written(name: Name) -> str:
    return TextPrinter(numbers=False).name(name)


@each_formula
def test_names_are_known_from_the_page_or_from_a_step_before(formula: str) -> None:
    used = {leaf.name.base for d in derivations(formula) for step in d.steps for leaf in leaves(step.term)}
    for d in derivations(formula):
        known, bases = page(d), set[str]()
        symbols = {p.symbol for p in d.formula.parameters}
        for step in d.steps:
            for leaf in leaves(step.term):
                # by its base: of many trajectories only the first are shown
                if leaf.name.base not in bases:
                    assert letters(leaf.name) <= known, written(leaf.name)
                    # an input is a letter with marks, unless its symbol is a word
                    letter = re.fullmatch(r"[^\W\d]'?|\|V\||lim .*", leaf.name.base)
                    assert letter or leaf.name.base in symbols, written(leaf.name)
            bases.add(step.name.base)
            strange = letters(step.name) - known
            helper = step.name.base in used or step.note
            assert not strange or (helper and all(len(word) == 1 for word in strange)), written(step.name)


@each_formula
def test_one_name_has_one_value_and_one_step(formula: str) -> None:
    for d in derivations(formula):
        values: dict[str, object] = {}
        for step in d.steps:
            for leaf in leaves(step.term):
                assert values.setdefault(written(leaf.name), leaf.value) == leaf.value, written(leaf.name)
        names = [written(step.name) for step in d.steps]
        assert len(names) == len(set(names))
        for step in d.steps:
            assert values.setdefault(written(step.name), step.value) == step.value, written(step.name)


@each_formula
def test_what_is_counted_has_a_letter_and_counts_from_0_or_1(formula: str) -> None:
    before_the_first = {("traces", "z")}
    for d in derivations(formula):
        for name in {name for step in d.steps for name in (step.name, *(x.name for x in leaves(step.term)))}:
            assert not name.base.isdigit(), written(name)
            below = re.search(r"_\{?[-−]\d", written(name))
            assert not below or (formula, name.base) in before_the_first, written(name)


@each_formula
def test_the_line_with_numbers_is_worth_its_value(formula: str) -> None:
    """Read back by the parser, which shares nothing with terms and printers."""
    for d in derivations(formula):
        for step in d.steps:
            text = in_grammar(TextPrinter(numbers=True).write(step.term))
            if len(text) < 200 and "clip" not in text and "infinity" not in text:
                difference = to_sympy(parse_number(text)) - step.value
                at = {symbol: Fraction(3, 7 + k) for k, symbol in enumerate(difference.free_symbols)}
                assert abs(difference.subs(at).evalf(30)) < 1e-25, text


@each_formula
def test_names_have_the_same_letters_in_latex(formula: str) -> None:
    greek = {command.strip(): letter for letter, command in LATEX_NAMES.items()}
    for d in derivations(formula):
        for name in {name for step in d.steps for name in (step.name, *(x.name for x in leaves(step.term)))}:
            text = LatexPrinter(numbers=False).name(dataclasses.replace(name, arg=None))
            assert text.count("{") == text.count("}")
            assert re.sub(r"\\text\{.*?\}", "", text).isascii(), text
            text = re.sub(r"\\text\{(.*?)\}", r"\1", text)
            commands = set(re.findall(r"\\[A-Za-z]+", text))
            assert commands <= COMMANDS | greek.keys(), text
            plain = re.sub(r"\\[A-Za-z]+", lambda m: greek.get(m[0], " "), text)
            assert set("".join(words(plain))) <= set("".join(letters(name))), text


@in_one("formula", [name for name in formula_names() if load_formula(name).has_rows])
def test_steps_belong_to_the_rows_of_their_table_from_the_first_on(formula: str) -> None:
    for d in derivations(formula):
        rows = sorted({step.row for step in d.steps} - {0})
        assert rows == list(range(1, len(rows) + 1))
        assert rows


def well_set(text: str) -> bool:
    """No markers of unfinished work, no shouting, no plural of one."""
    if re.search(r"\b1 (actions|entries|rewards|iterations|states|steps|trajectories)\b", text):
        return False
    shouted = {word for word in words(text) if len(word) > 3 and word.isupper()}
    return text == text.strip() and "XX" not in text and shouted <= ACRONYMS


@each_formula
def test_notes_are_sentences_and_reasons_are_not(formula: str) -> None:
    for d in derivations(formula):
        for note in d.notes:
            assert well_set(note), note
            assert note.endswith("."), note
            first = note.split()[0]
            assert first[0].isupper() or not first.isalpha() or letters(Name(first)) <= page(d), note
        for step in d.steps:
            assert well_set(step.note), step.note
            assert not step.note.endswith("."), step.note
            first = step.note.partition(" ")[0]
            assert len(first) == 1 or not first.isalpha() or not first.istitle(), step.note


@each_formula
def test_refusals_are_sentences(formula: str) -> None:
    spec = load_formula(formula)
    for case in cases(formula, refused=True):
        with pytest.raises(InputError) as caught:
            derive_bound(checked(spec, case.given))
        error = caught.value
        assert is_code(error.code)
        assert re.match(r"\W|[A-Z]|\S+ = '|\S+ ", error.message), error.message
        for text in (error.message, error.hint):
            assert well_set(text), text
            assert not re.search(r"\bNone\b", text), text
            assert not text or text.endswith((".", "?")) or "rlcalc " in text, text
