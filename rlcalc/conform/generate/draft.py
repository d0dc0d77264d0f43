"""A drawn case: what it looks like, and which arguments it has.

Hypothesis draws a case as a few bytes per array; ``kinds`` turns them into
exact inputs. What a formula refuses is drawn again, elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from rlcalc.conform.generate.kinds import KINDS
from rlcalc.conform.generate.number_pool import HUGE, STEEP
from rlcalc.errors import InputError
from rlcalc.specs import Formula, Parameter

LONGEST = 64
SEQUENCES = ("gae", "lambda_return", "n_step_return", "td_error", "discounted_return")
# entries of other vectors: actions, samples, rewards of a group
LONGEST_OTHER = 8
# linear in what they are given, so that size costs no digits
SCALABLE = (*SEQUENCES, "td_update", "ppo_clip", "advantage")
# functions of exponentials whose quotients stay ordinary
EXPONENTIAL = ("softmax", "score", "reinforce_step", "ratio")
# what a function may be told besides its answer; it changes none of it
ASIDE = ("alpha", "samples", "terminal", "bootstrap")


@dataclass
class Draft:
    """A drawn case: one table of exact inputs per entry of the batch."""

    dtype: str
    batch: tuple[int, ...]
    shared: dict[str, Any]
    rows: list[dict[str, Any]]


def hypothesis_or_refuse() -> Any:
    """Hypothesis, which only the test extra installs.

    Raises:
        InputError: ``hypothesis_missing``.
    """
    try:
        import hypothesis
    except ImportError as error:
        raise InputError(
            "hypothesis_missing",
            "Generated cases need Hypothesis, which is not installed.",
            "Install rlcalc[test], or run the vectors alone with --random 0.",
        ) from error
    return hypothesis


def cannot_generate(formula: Formula) -> str:
    """Why there are no generated cases for a formula; empty when there are."""
    odd = [p.name for p in formula.parameters if p.kind not in KINDS and p.required]
    return f"{', '.join(odd)} of {formula.name} is nothing that numbers can be drawn for" if odd else ""


# bytes of the head that are no switches, and bytes of it in all
_HEAD, _WHOLE_HEAD = 10, 18
_SCALES = (Fraction(1),) * 6 + (Fraction(2) ** 60, Fraction(1, 2**60))


def drafts(
    formula: Formula, accepts: frozenset[str] | None, dtypes: Sequence[str], batches: bool = True
) -> Any:
    """A Hypothesis strategy of drafts.

    Two draws make a case: a head that decides what it looks like, and a byte
    for every number in it. More draws would cost more than the rest of a run.
    """
    st = hypothesis_or_refuse().strategies
    forms = [form.parameters for form in formula.forms] or [()]
    special = {name for form in forms for name in form}
    longest = LONGEST if formula.name in SEQUENCES else LONGEST_OTHER
    wide = formula.name in SCALABLE
    extra = HUGE if wide else STEEP if formula.name in EXPONENTIAL else ()
    kinds = dict.fromkeys(KINDS[p.kind] for p in formula.parameters)
    bounds = {name: ends for kind in kinds for name, ends in kind.bounds.items()}
    batched = batches and not any(
        KINDS[p.kind].alone or (p.kind == "integer" and not p.single) for p in formula.parameters
    )
    usable = [
        p for p in formula.parameters if not _aside(formula, p) and (accepts is None or p.name in accepts)
    ]

    def given(p: Parameter, form: Sequence[str], switch: int) -> bool:
        if p.name in special and p.name not in form:
            return False
        if p.optional and not switch:
            return False
        # a default is left alone now and then; its value is part of what is promised
        return p.default is None or p.default == "zeros" or switch != 3

    @st.composite  # type: ignore[untyped-decorator]
    def draw(pick: Callable[[Any], Any]) -> Draft:
        head = pick(st.binary(min_size=_WHOLE_HEAD, max_size=_WHOLE_HEAD))
        form = forms[head[0] % len(forms)]
        batch = ((), (), (), (), (1,), (2,), (3,), (2, 2))[head[2] % 8] if batched else ()
        scale = _SCALES[head[3] % len(_SCALES)] if wide else Fraction(1)
        size = max(1, math.prod(batch))
        dims: dict[str, int] = {}
        switches = int.from_bytes(head[_HEAD:], "little")
        plan = []
        for number, p in enumerate(usable):
            switch = switches >> (2 * number) & 3
            if not given(p, form, switch):
                continue
            kind = KINDS[p.kind]
            names = (p.each,) if p.each and switch == 1 else kind.axes or p.shape
            lengths = [_length(name, dims, head[4 + len(dims) % 6], longest, bounds) for name in names]
            shared = p.single or kind.shared
            plan.append((p, lengths, kind.count(lengths), 1 if shared else size, shared))
        total = sum(count * times for _, _, count, times, _ in plan)
        body = memoryview(pick(st.binary(min_size=total, max_size=total)))
        draft = Draft(dtypes[head[1] % len(dtypes)], batch, {}, [{} for _ in range(size)])
        for p, lengths, count, _, shared in plan:
            for table in [draft.shared] if shared else draft.rows:
                part = KINDS[p.kind].read(body[:count], p, extra, lengths)
                body = body[count:]
                scaled = not shared and p.domain.text == "real" and p.kind == "number"
                table[p.name] = _scaled(part, scale) if scaled else part
        if not draft.rows[0]:
            draft = replace(draft, batch=(), rows=[{}])  # nothing of it differs within a batch
        drawn = {p.name: switches >> (2 * number) & 3 for number, p in enumerate(usable)}
        for kind in kinds:
            draft = draft if kind.finish is None else kind.finish(formula, draft, drawn)
        return tidy(draft)

    return draw()


def _aside(formula: Formula, p: Parameter) -> bool:
    """Whether a parameter is left out; that of traces makes further outputs."""
    return p.optional and p.name in ASIDE and formula.name != "traces"


def _length(
    name: str, dims: dict[str, int], byte: int, longest: int, bounds: Mapping[str, tuple[int, int]]
) -> int:
    """Length along a dimension; half of all sequences are short."""
    base, _, extra = name.partition("+")
    if base == "K" and "S" in dims:
        base = "S"  # a table is drawn with a row for every state
    if base not in dims and base in bounds:
        low, high = bounds[base]
        dims[base] = low + byte % (high - low + 1)
    if base not in dims:
        dims[base] = 1 + byte // 2 % (longest if byte % 2 else min(longest, 8))
    return dims[base] + int(extra or 0)


def _scaled(value: Any, scale: Fraction) -> Any:
    if scale == 1:
        return value
    return [part * scale for part in value] if isinstance(value, list) else value * scale


# a fair question

_ENDS = ("terminated", "truncated")


def tidy(draft: Draft) -> Draft:
    """What every draft has to go through: inputs that belong together fit."""
    for kind in KINDS.values():
        draft = draft if kind.tidy is None else kind.tidy(draft)
    return replace(draft, rows=[_joined(row) for row in draft.rows])


def _joined(row: dict[str, Any]) -> dict[str, Any]:
    """Let a step that goes on lead to the state that stands next.

    Only where an episode ends may ``next_values`` say something else; an
    implementation that reads ``values`` everywhere else is right.
    """
    if "next_values" not in row:
        return row
    count = len(row["next_values"])
    follows = row.get("values", [Fraction(0)] * (count + 1))[1:]
    ends = [a or b for a, b in zip(*(row.get(k, [False] * count) for k in _ENDS), strict=True)]
    pairs = zip(row["next_values"], follows, ends, strict=True)
    return {**row, "next_values": [own if end else after for own, after, end in pairs]}
