"""Drawing drafts with Hypothesis: a case is a few bytes per array, read as exact inputs.

A byte stands for one number; 0 is the simplest choice everywhere. What a
formula refuses is drawn again, elsewhere. A further kind of input is one more
entry of ``KINDS``; what is known of a formula beyond shapes are the traits of
its specification.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import Any

from rlcalc.conform.generate import episodes, tables, tokens
from rlcalc.conform.generate.draft import Draft
from rlcalc.conform.generate.number_pool import HUGE, STEEP, Numbers, distribution, pool_of
from rlcalc.errors import InputError
from rlcalc.nested import fold, map_nested
from rlcalc.specs import Formula, Parameter

LONGEST_SEQUENCE = 64
# entries of other vectors: actions, samples, rewards of a group
LONGEST_OTHER = 8
# what an input may say in another way or on the side; and what is said of steps after the last
ASIDE = ("samples", "terminal", "bootstrap", "tail", "repeat")


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of input.

    Attributes:
        read: bytes, parameter, further numbers of the pool, lengths of the axes -> exact value.
        shared: the same for the whole batch.
        alone: such an input never comes in a batch.
        count: bytes that a value of these lengths takes.
        axes: what a value spans where the specification gives it no shape.
        bounds: shortest and longest length along these axes.
        finish: the last touch to a fresh draft, with two drawn bits per parameter.
        normalise: what every draft has to go through to be a fair question.
        smaller: simpler drafts, greatest steps first; lengths included.
    """

    read: Callable[[Sequence[int], Parameter, Numbers, Sequence[int]], Any]
    shared: bool = False
    alone: bool = False
    count: Callable[[Sequence[int]], int] = math.prod
    axes: tuple[str, ...] = ()
    bounds: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    finish: Callable[[Formula, Draft, Mapping[str, int]], Draft] | None = None
    normalise: Callable[[Draft], Draft] | None = None
    smaller: Callable[[Formula, Draft], Iterator[Draft]] | None = None


def _flag(data: Sequence[int], p: Parameter, extra: Numbers, lengths: Sequence[int]) -> Any:
    # one step in four ends an episode, so that they have a length; one token in four is masked
    flags = [(byte % 4 == 3) != p.masks for byte in data]
    if len(lengths) == 2:
        return fold(flags, lengths)
    return flags if p.shape else flags[0]


def _choice(data: Sequence[int], p: Parameter, extra: Numbers, lengths: Sequence[int]) -> str:
    return p.choices[data[0] % len(p.choices)]


def _integer(data: Sequence[int], p: Parameter, extra: Numbers, lengths: Sequence[int]) -> Any:
    if lengths:
        return fold([_integer(data[k : k + 1], p, extra, ()) for k in range(len(data))], lengths)
    low = p.domain.low if p.domain.low is not None else Fraction(0)
    high = p.domain.high if p.domain.high is not None else low + 9
    return int(low) + data[0] % (int(min(high, low + 9)) - int(low) + 1)


def _index(p: Parameter, count: int, value: int) -> int:
    """One of so many entries; the end of a domain below 0 stands for none of them."""
    low = int(p.domain.low or 0)
    return value if value == low < 0 else (value - low) % count


def _count(data: Sequence[int], p: Parameter, extra: Numbers, lengths: Sequence[int]) -> Any:
    return math.inf if data[0] == 255 and not p.finite else _integer(data, p, extra, lengths)


def _number(data: Sequence[int], p: Parameter, extra: Numbers, lengths: Sequence[int]) -> Any:
    if len(lengths) == 2:
        width = lengths[1]
        return [_number(data[k * width : (k + 1) * width], p, extra, (width,)) for k in range(lengths[0])]
    if p.distribution:
        return distribution(data)
    known = pool_of(p, extra)
    numbers = [known[byte] for byte in data]
    return numbers if lengths else numbers[0]


KINDS: Mapping[str, Kind] = {
    "number": Kind(_number),
    "flag": Kind(_flag),
    "choice": Kind(_choice, shared=True),
    "integer": Kind(_integer, shared=True),
    "count": Kind(_count, shared=True),
    "mdp": Kind(
        tables.read,
        shared=True,
        count=tables.count,
        axes=tuple(tables.BOUNDS),
        bounds=tables.BOUNDS,
        finish=tables.finish,
        normalise=tables.normalise,
        smaller=tables.smaller,
    ),
    "steps": Kind(episodes.read_steps, shared=True, alone=True, count=episodes.count, axes=("T",)),
    "episodes": Kind(episodes.read_episodes, shared=True, alone=True, count=episodes.count, axes=("T",)),
    "table": Kind(episodes.read_table, shared=True, alone=True, count=episodes.count_table),
    "word": Kind(tokens.read, shared=True, alone=True, normalise=tokens.normalise, smaller=tokens.smaller),
}


def hypothesis_or_refuse() -> Any:
    """Hypothesis, which may have been left out of an installation.

    Raises:
        InputError: ``hypothesis_missing``.
    """
    try:
        import hypothesis
    except ImportError as error:
        raise InputError(
            "hypothesis_missing",
            "Generated cases need Hypothesis, which is not installed.",
            "pip install hypothesis, or run the vectors alone with --random 0.",
        ) from error
    return hypothesis


def cannot_generate(formula: Formula) -> str:
    """Why there are no generated cases for a formula; empty when there are."""
    odd = [p.name for p in formula.parameters if p.kind not in KINDS and p.required]
    return f"{', '.join(odd)} of {formula.name} is nothing that numbers can be drawn for" if odd else ""


# bytes of the head that are no switches, and bytes of it in all
_HEAD, _WHOLE_HEAD = 10, 18
_BATCHES = ((), (), (), (), (1,), (2,), (3,), (2, 2))
_SCALES = (Fraction(1),) * 6 + (Fraction(2) ** 60, Fraction(1, 2**60))


def drafts(
    formula: Formula, accepts: frozenset[str] | None, dtypes: Sequence[str], batches: bool = True
) -> Any:
    """A Hypothesis strategy of drafts.

    Two draws make a case: a head that decides what it looks like, and a byte
    for every number in it. More draws would cost more than the rest of a run.

    Args:
        accepts: names of the arguments that the target takes; ``None`` for all.
        dtypes: to choose from.
        batches: whether there may be batch axes.
    """
    st = hypothesis_or_refuse().strategies
    forms = [form.parameters for form in formula.forms] or [()]
    special = {name for form in forms for name in form}
    longest = LONGEST_SEQUENCE if "sequence" in formula.traits else LONGEST_OTHER
    linear = "linear" in formula.traits  # so that size costs no digits
    extra = HUGE if linear else STEEP if "exponential" in formula.traits else ()
    kinds = dict.fromkeys(KINDS[p.kind] for p in formula.parameters)
    bounds = {name: ends for kind in kinds for name, ends in kind.bounds.items()}
    # with a mask, all rows are one batch already
    batched = (
        batches
        and formula.mask is None
        and not any(KINDS[p.kind].alone or (p.kind == "integer" and not p.single) for p in formula.parameters)
    )
    usable = [
        p
        for p in formula.parameters
        if not (p.optional and p.name in ASIDE) and (accepts is None or p.name in accepts)
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
        batch = _BATCHES[head[2] % len(_BATCHES)] if batched else ()
        scale = _SCALES[head[3] % len(_SCALES)] if linear else Fraction(1)
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
            # the discounts of a sequence are those of a batch, a critic's values are each row's own
            listed = bool(p.each) and names == (p.each,) and "sequence" not in formula.traits
            shared = (p.single and not listed) or kind.shared or p.is_switch
            plan.append((p, lengths, kind.count(lengths), 1 if shared else size, shared, switch))
        total = sum(count * times for _, _, count, times, *_ in plan)
        body = memoryview(pick(st.binary(min_size=total, max_size=total)))
        draft = Draft(dtypes[head[1] % len(dtypes)], batch, {}, [{} for _ in range(size)])
        steady: dict[str, Fraction] = {}
        for p, lengths, count, _, shared, switch in plan:
            for table in [draft.shared] if shared else draft.rows:
                part = KINDS[p.kind].read(body[:count], p, extra, lengths)
                if p.flagged and switch < 2:
                    part = [steady.setdefault(p.name, part[0]) * (byte % 4 != 3) for byte in body[:count]]
                if p.below in dims:
                    part = map_nested(partial(_index, p, dims[p.below]), part)
                body = body[count:]
                scaled = not shared and p.domain.text == "real" and p.kind == "number"
                table[p.name] = _scaled(part, scale) if scaled else part
        if not draft.rows[0]:
            draft = replace(draft, batch=(), rows=[{}])  # nothing of it differs within a batch
        drawn = {p.name: switches >> (2 * number) & 3 for number, p in enumerate(usable)}
        for kind in kinds:
            draft = draft if kind.finish is None else kind.finish(formula, draft, drawn)
        return normalise(draft)

    return draw()


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
    return map_nested(lambda part: part * scale, value)


def normalise(draft: Draft) -> Draft:
    """Make inputs that belong together fit; every draft goes through this to be a fair question."""
    for kind in KINDS.values():
        draft = draft if kind.normalise is None else kind.normalise(draft)
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
    flags = [row.get(name, [False] * count) for name in ("terminated", "truncated")]
    ends = [a or b for a, b in zip(*flags, strict=True)]
    pairs = zip(row["next_values"], follows, ends, strict=True)
    return {**row, "next_values": [own if end else after for own, after, end in pairs]}
