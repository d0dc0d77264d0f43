"""A conformance report for people: lines of text, each with the part that it plays.

``summary_lines`` is what a person reads first, at most ``LONGEST`` lines;
``report_lines`` is all that there is to say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum
from textwrap import wrap

from rlcalc.conform.catalogue import Catalogue
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.convention import Convention
from rlcalc.conform.diagnose import Diagnosis
from rlcalc.conform.fault import Fault
from rlcalc.conform.outcome import Judgement
from rlcalc.conform.report.case_table import MARK, case_table
from rlcalc.conform.report.counterexample import Counterexample
from rlcalc.digits import DIGITS
from rlcalc.golden.replay import brief

WIDTH = 80
LONGEST = 20
# the right and the wrong row, and one before them
FEWEST_ROWS = 3
# a process of four states and three actions, with room to spare
LONGEST_TABLE = 2000
WORDS = {
    "nonconforming": "differs from",
    "hangs": "timed out on",
    "wrong-shape": "returns a wrong shape for",
    "nan": "returns nan for",
    "wrong-dtype": "returns a wrong dtype for",
    "changes-inputs": "changes its inputs in",
    "too-few-vectors": "could not be judged by",
}

# in remarks that change nothing about the verdict
NO_FAULT = "that is no fault"
# text, and "good", "bad" or "head" where it stands out
Line = tuple[str, str]


def headline(report: ConformReport) -> str:
    """The verdict in one sentence."""
    under = " and ".join(c.name for c in report.conventions)
    if report.verdict == "conforms-under-convention":
        once = "" if report.declared else ": right, once that is declared"
        return f"{report.target} conforms to {report.formula} under convention {under}{once}"
    if report.spared is not None:
        right = " and ".join(c.name for c in report.right_under)
        under = f" under convention {right}" if right else ""
        return f"{report.target} is right for {report.formula}{under} except {report.spared.excuses}"
    words = WORDS.get(report.verdict, "conforms to")
    if report.verdict == "raises":
        words = _raised(report)
    part = f" in {report.part}" if report.part else ""
    return f"{report.target} {words} {report.formula}{part}" + (f" under {under}" if under else "")


def _verdict_lines(report: ConformReport) -> Iterator[Line]:
    style = "good" if report.verdict.startswith("conforms") else "bad"
    return ((line, style) for line, _ in filled(headline(report), "", "  ", hyphens=False))


def _raised(report: ConformReport) -> str:
    """By the name of the exception, where it is the same on every vector."""
    failures = [*report.failures, *([report.found.judgement] if report.found else [])]
    outcomes = [j.outcome for j in failures if j.status == "raises" and j.outcome is not None]
    if any(outcome.died for outcome in outcomes):
        return "crashed on"
    names = {outcome.detail.partition(":")[0] for outcome in outcomes}
    name = names.pop() if len(names) == 1 else ""
    return f"raised {name} on" if name.isidentifier() else "raised an exception on"


def summary_lines(report: ConformReport, example: Counterexample | None) -> list[Line]:
    """Verdict, which bug it is and how to fix it, the smallest case, and what was run, on few lines.

    Of a failing function no more than ``LONGEST``: what else there is to say is left out, one thing after
    another, until it fits; all of it comes with ``-v``.
    """
    found: list[Line] = []
    for brevity in Brevity:
        found = _summary(report, example, brevity)
        if len(found) <= LONGEST or report.verdict.startswith("conforms"):
            break
    return found


class Brevity(IntEnum):
    """What is left out of a report, each besides those before it."""

    NOTHING = 0
    REPORTERS = 1
    REMARKS = 2
    WAYS_ON = 3
    SOME_OF_THE_READING = 4
    MOST_OF_THE_READING = 5
    CAUSES_OF_SEVERAL = 6
    CAUSE = 7


def _summary(report: ConformReport, example: Counterexample | None, less: Brevity) -> list[Line]:
    top = [*_verdict_lines(report)]
    if report.binding is not None:
        lines = list(report.binding.lines())
        # what a caller might mean by it is for a function that is right, but for what would make it so
        other = [line for line in lines[2:] if "--map" in line]
        text = lines if report.verdict.startswith("conforms") else ["; ".join(lines[:2]), *other]
        if less >= Brevity.SOME_OF_THE_READING:
            text[0] = shortened(text[0], 2 if less == Brevity.SOME_OF_THE_READING else 1)
        top += [line for part in text for line in filled(part)]
    for convention in (*report.conventions, *report.right_under):
        top += filled(f"{convention.name}: {convention.about}")
    if report.verdict == "conforms-under-convention" and not report.declared:
        top.append((f"  declare it: {declaration(report.conventions)}", "head"))
    if report.diagnosis is not None:
        top += _bug(report.diagnosis, less)
    if report.spared is not None:
        top.append(("  where that is no matter, say so:", ""))
        top.append((f"    {declaration((*report.right_under, report.spared))}", "head"))
    counted = [text for text in tally(report) if less < Brevity.REMARKS or NO_FAULT not in text]
    if less >= Brevity.WAYS_ON:
        counted = [text.replace(" generated cases, ", " generated, ") for text in counted]
    bottom = [line for text in counted for line in filled(text, "", "  ")]
    if example is not None:
        bottom += filled(_more(report, less), "", "  ", hyphens=False)
        case = list(_case(example, max(LONGEST - len(top) - len(bottom), FEWEST_ROWS + 2)))
        # empty lines only where there is room for them
        gap = [("", "")] * (len(top) + len(case) + len(bottom) + 2 <= LONGEST)
        top += [*gap, *case, *gap]
    return top + bottom


def declaration(conventions: Sequence[Convention]) -> str:
    """What a user types to declare conventions."""
    return " ".join(f"--convention {convention.name}" for convention in conventions)


def shortened(text: str, most: int) -> str:
    """The beginning of a reading, on so many lines, to the end of an entry."""
    lines = wrap(text, WIDTH - 2, initial_indent="  ", subsequent_indent="    ", break_long_words=False)
    if len(lines) <= most:
        return text
    kept = " ".join(line.strip() for line in lines[:most])
    before, _, after = kept.rpartition("; ")
    return f"{before if before else after.rpartition(', ')[0]} …"


def _bug(found: Diagnosis, less: Brevity = Brevity.NOTHING) -> Iterator[Line]:
    """The simplest match in full, the others by name."""
    if not found.matches:
        yield f"no known bug matches ({found.tried} tried)", ""
        return
    first, *others = found.matches
    yield from ((line, "head") for line, _ in filled(f"known bug: {first.name}", "", "  ", hyphens=False))
    for fault in first.faults:
        yield from filled(f"what  {fault.does}", "  ", " " * 8)
        if less < (Brevity.CAUSES_OF_SEVERAL if len(first.faults) > 1 else Brevity.CAUSE):
            yield from filled(f"why   {fault.cause}", "  ", " " * 8)
        yield from filled(f"fix   {fault.fix}", "  ", " " * 8)
    places = [place for fault in first.faults for place in fault.reported_in]
    if places and less < Brevity.REPORTERS:
        yield from filled(f"reported in {', '.join(places)}", "  ", " " * 8)
    if others:
        yield from filled(f"the same answers come from: {', '.join(match.name for match in others)}")


def bug_names(report: ConformReport, between: str = " + ") -> str:
    """The names of the simplest match; empty where none was found."""
    return between.join(fault.name for match in report.matches[:1] for fault in match.faults)


def _more(report: ConformReport, less: Brevity) -> str:
    names = bug_names(report, " ")
    explained = f"rlcalc explain {names}; " if names else ""
    if less >= Brevity.WAYS_ON:
        return f"more: {explained}-v; --write-test FILE"
    return f"more: {explained}-v for steps, --write-test FILE for a failing test"


def _case(example: Counterexample, most: int) -> Iterator[Line]:
    """A case as a table where it is one, otherwise line by line."""
    table = case_table(example)
    if table is None:
        found = [line for line in example_lines(example, short=True) if line[0]]
        inputs = _input_lines(example)
        if len(found) > most and example.got is not None:
            # the inputs in one paragraph: the answers must not be cut off
            first = found.index(inputs[0]) if inputs else 0
            rest = ", ".join(text.strip() for text, _ in inputs)
            found[first : first + len(inputs)] = filled(rest, "  ", "  ")
        yield from found[: max(most, FEWEST_ROWS + 2)]
        return
    yield from ((line, "head") for line, _ in filled(case_heading(example), "", "  "))
    yield from ((f"  at {frame}", "") for frame in example.frames)
    values = {**table.rest, **example.defaults}
    rest = ", ".join(f"{name} = {brief(value, 60)}" for name, value in values.items())
    given = list(filled(rest, "  ", "  ")) if rest else []
    yield from given
    answers = table.lines(max(most - 1 - len(given) - len(example.frames), FEWEST_ROWS))
    for line in answers:
        yield f"  {line}", "bad" if line.endswith(MARK) else ""


def tally(report: ConformReport) -> list[str]:
    """How many vectors passed, and how well; generated cases; notes."""
    parts = []
    for dtype, of in _by_dtype(report).items():
        good, digits = sum(not j.failed for j in of), report.digits(dtype)
        # of one that fails, the digits of its failures say nothing
        worst = f" (at least {digits:.1f} digits)" if digits is not None and good == len(of) else ""
        parts.append(f"{good} of {len(of)} in {dtype}{worst}")
    cases = f"; {_generated(report)}" if report.random and not report.random_skipped else ""
    notes = [note for note in report.notes if note not in report.details]
    return [f"vectors passed: {', '.join(parts)}{cases}", *_untested(report), *notes]


def _untested(report: ConformReport) -> list[str]:
    return [f"not tested: {', '.join(report.not_tested)}"] if report.not_tested else []


def _by_dtype(report: ConformReport) -> dict[str, list[Judgement]]:
    """What was run and not skipped."""
    found: dict[str, list[Judgement]] = {}
    for judgement in report.judgements:
        if judgement.status != "skipped":
            found.setdefault(judgement.dtype, []).append(judgement)
    return found


def _generated(report: ConformReport) -> str:
    word = "all passed" if report.found is None else "1 failed"
    return f"{report.random} generated cases, {word}"


def report_lines(report: ConformReport, example: Counterexample | None) -> Iterator[Line]:
    """The report; its running text fills 80 columns, what the user named is never broken."""
    yield from _verdict_lines(report)
    if report.binding is not None:
        for line in report.binding.lines():
            yield from filled(line)
    yield from ((f"  {line}", "") for line in counts(report))
    for convention in report.conventions:
        yield from filled(f"{convention.name}: {convention.about}")
    if report.diagnosis is not None:
        yield "", ""
        yield from diagnosis_lines(report.formula, report.diagnosis)
    if example is not None:
        yield from example_lines(example)


def counts(report: ConformReport) -> list[str]:
    """What was run and how it went."""
    found = []
    for dtype, of in _by_dtype(report).items():
        good = sum(not j.failed for j in of)
        digits = report.digits(dtype)
        worst = "" if digits is None else f", worst case {digits:.1f} of {DIGITS[dtype]:.1f} digits"
        found.append(f"{dtype}: {good} of {len(of)} vectors passed{worst}")
    reasons: dict[str, set[str]] = {}
    for j in report.judgements:
        if j.status == "skipped":
            reasons.setdefault(j.why, set()).add(j.vector.id)
    found += [f"skipped {len(ids)}: {why}" for why, ids in reasons.items()]
    if report.random_skipped:
        found.append(f"no generated cases: {report.random_skipped}")
    elif report.random:
        found.append(_generated(report))
    return [*found, *_untested(report), *report.notes]


def diagnosis_lines(formula: str, found: Diagnosis) -> Iterator[Line]:
    """Which known bug it is, or that it is none."""
    for match in found.matches:
        yield f"your {formula} matches known bug {match.name}", "head"
        yield f"  on all {match.compared} cases, of which {len(match.shown)} show the bug", ""
        for fault in match.faults:
            if len(match.faults) > 1:
                yield f"  {fault.name}", ""
            yield from fault_lines(fault)
    if not found.matches:
        yield f"no known bug matches ({found.tried} tried)", ""
    # what explains less than half of it would be an accusation
    if found.nearest is not None and 2 * found.nearest[1] >= found.nearest[2]:
        name, agree, of = found.nearest
        yield f"  nearest is {name}: it explains {agree} of the {of} wrong answers", ""


def fault_lines(fault: Fault) -> Iterator[Line]:
    """What a known bug does, why people write it, and how to fix it."""
    yield from filled(f"behaviour: {fault.does}")
    yield from filled(f"cause: {fault.cause}")
    yield from filled(f"fix: {fault.fix}")
    if fault.reported_in:
        yield from filled(f"reported in: {', '.join(fault.reported_in)}")


def catalogue_lines(known: Catalogue, conventions: bool, faults: bool) -> Iterator[Line]:
    """What is declared about a formula."""
    yield known.formula, "head"
    for convention in (*known.conventions, *known.families, *known.excuses) if conventions else ():
        chosen = ",".join(f"<{c.name}>" for c in convention.constants) if convention.open else ""
        yield f"  {convention.name}{'=' if chosen else ''}{chosen}", ""
        yield from filled(convention.about, "      ", "      ")
        if convention.users:
            yield from filled(f"Used by {convention.users}.", "      ", "      ")
    for fault in known.faults if faults else ():
        yield f"  {fault.name} ({fault.kind})", ""
        yield from filled(fault.does, "      ", "      ")
        yield from filled(f"Fix: {fault.fix}", "      ", "      ")
        yield from ((f"      Reported in {place}.", "") for place in fault.reported_in)


def _input_lines(example: Counterexample) -> list[Line]:
    lines: list[Line] = []
    for name, value in example.inputs.items():
        if isinstance(value, dict):  # the tables of a decision process
            lines += [(f"  {name}.{key} = {brief(part, LONGEST_TABLE)}", "") for key, part in value.items()]
        else:
            lines.append((f"  {name} = {brief(value)}", ""))
    return lines


def example_lines(example: Counterexample, short: bool = False) -> Iterator[Line]:
    """The smallest failing case: inputs, both answers; unless ``short``, also the steps and the test."""
    yield "", ""
    yield case_heading(example), "head"
    yield from ((f"  at {frame}", "") for frame in example.frames)
    yield from _input_lines(example)
    if example.expected is not None:
        word = "exact" if example.exact else "right"
        yield f"  {word} answer  {brief(example.right)}", ""
    if example.got is not None:
        yield f"  your answer   {brief(example.given)}", ""
    if example.flaky:
        yield "  non-deterministic: asked again, it gave another answer", ""
    if short:
        return
    if example.steps:
        yield "", ""
        yield from ((f"  {line}" if line else "", "") for line in example.steps)
    yield "", ""
    yield "a test that shows it:", "head"
    yield "", ""
    yield from ((line, "") for line in example.test.rstrip("\n").split("\n"))


def case_heading(example: Counterexample) -> str:
    """Which case, and what is wrong with it."""
    kind = "smallest failing case" if example.case == "generated" else example.case
    entry = f"entry {list(example.entry)}" if sum(example.entry) else "one entry"
    part = "a batch" if example.whole else f"{entry} of a batch"
    batch = f", {part} {list(example.batch)}" if example.batch else ""
    return f"{kind}, {example.dtype}{batch}: {example.why or example.status}"


def filled(text: str, first: str = "  ", later: str = "    ", hyphens: bool = True) -> Iterator[Line]:
    """Running text on lines of 80.

    Args:
        hyphens: whether a line may end behind one.
    """
    lines = wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=hyphens,
    )
    yield from ((line, "") for line in lines)
