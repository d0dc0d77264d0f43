"""Generated cases against exact arithmetic, shrunk to the smallest that fails.

Hypothesis draws a case as a few bytes per array, each a number of a palette
that both floating dtypes hold exactly. What a formula refuses is drawn again;
the first case that fails is made small by ``shrink``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

from rlcalc.arrays import from_exact
from rlcalc.conform.judge import Judgement
from rlcalc.conform.oracle import exact_answer
from rlcalc.conform.shrink import attempts_for, shrink
from rlcalc.conform.vectors import Vector, answer_name
from rlcalc.errors import InputError
from rlcalc.evaluation import checked
from rlcalc.specs import Formula, Parameter
from rlcalc.verify import DEMANDED

if TYPE_CHECKING:
    from rlcalc.conform.faults import Convention
    from rlcalc.conform.targets import Target

LONGEST = 64
SEQUENCES = ("gae", "lambda_return", "n_step_return", "td_error", "discounted_return")
# entries of other vectors: actions, samples, rewards of a group
LONGEST_OTHER = 8
# linear in what they are given, so that size costs no digits
SCALABLE = (*SEQUENCES, "td_update", "ppo_clip", "advantage")
# what a function may be told besides its answer; it changes none of it
ASIDE = ("alpha", "samples", "terminal", "bootstrap")


@dataclass(frozen=True)
class Found:
    """A failing case, shrunk.

    Attributes:
        judgement: what the target did; its vector holds the case.
        rows: exact inputs as text, one per entry of the batch.
        row: the first entry of the batch that is wrong.
        flaky: the target did not give the same answer twice.
    """

    judgement: Judgement
    rows: tuple[dict[str, Any], ...]
    row: int = 0
    flaky: bool = False


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
    odd = [p.name for p in formula.parameters if p.kind in ("mdp", "word") and p.required]
    return f"{', '.join(odd)} of {formula.name} is nothing that numbers can be drawn for" if odd else ""


# palettes


@cache
def palette(low: Fraction | None, high: Fraction | None, closed: tuple[bool, bool], wide: bool) -> Any:
    """256 numbers of an interval, simplest first; all of them dyadic and exact in float32."""
    plain = [
        Fraction(0),
        Fraction(1),
        Fraction(-1),
        Fraction(1, 2),
        Fraction(-1, 2),
        Fraction(2),
        Fraction(-2),
    ]
    plain += [Fraction(sign * k, d) for d in (1, 4, 8, 16) for k in range(1, 40) for sign in (1, -1)]
    # near a bound, and next to nothing
    plain += [1 - Fraction(1, 2**k) for k in (7, 10, 20)] + [Fraction(1, 2**k) for k in (7, 10, 20, 30)]
    if wide:
        plain += [Fraction(s * m * 2**20) for m in (1, 3, 5) for s in (1, -1)] + [Fraction(-1, 2**20)]

    def inside(x: Fraction) -> bool:
        above = low is None or x > low or (closed[0] and x == low)
        return above and (high is None or x < high or (closed[1] and x == high))

    fitting = [x for x in dict.fromkeys(plain) if inside(x)]
    # a quarter of the draws are the ends themselves, where most faults of γ and λ show;
    # the rest repeats the palette, the odd ones at its end as often as the plain ones
    ends = [x for x, there in ((low, closed[0]), (high, closed[1])) if x is not None and there]
    drawn = tuple(fitting[k % len(fitting)] for k in range(256 - 64 * bool(ends)))
    return drawn + tuple(ends[k % len(ends)] for k in range(64 * bool(ends)))


def _palette(parameter: Parameter, wide: bool) -> tuple[Fraction, ...]:
    domain = parameter.domain
    found: tuple[Fraction, ...] = palette(
        domain.low, domain.high, (domain.low_closed, domain.high_closed), wide
    )
    return found


def _distribution(weights: Sequence[int]) -> list[Fraction]:
    """Probabilities with a power of two below them, so that they sum to 1 in every dtype."""
    small = [w % 16 for w in weights]
    whole = 1 << max(0, (max(1, sum(small)) - 1).bit_length())
    small[0] += whole - sum(small)
    return [Fraction(w, whole) for w in small]


# drawing


@dataclass
class Draft:
    """A drawn case: one table of exact inputs per entry of the batch."""

    dtype: str
    batch: tuple[int, ...]
    shared: dict[str, Any]
    rows: list[dict[str, Any]]


# bytes of the head that are no switches, and bytes of it in all
_HEAD, _WHOLE_HEAD = 10, 18


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
    batched = batches and not any(p.kind == "integer" and not p.single for p in formula.parameters)
    usable = [p for p in formula.parameters if p.name not in ASIDE and (accepts is None or p.name in accepts)]

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
            names = (p.each,) if p.each and switch == 1 else p.shape
            lengths = [_length(name, dims, head[4 + len(dims) % 6], longest) for name in names]
            shared = p.single or p.kind in ("integer", "count", "choice")
            plan.append((p, lengths, math.prod(lengths), 1 if shared else size, shared))
        total = sum(count * times for _, _, count, times, _ in plan)
        body = memoryview(pick(st.binary(min_size=total, max_size=total)))
        draft = Draft(dtypes[head[1] % len(dtypes)], batch, {}, [{} for _ in range(size)])
        for p, lengths, count, _, shared in plan:
            for table in [draft.shared] if shared else draft.rows:
                part = _value(body[:count], p, wide, lengths)
                body = body[count:]
                scaled = not shared and p.domain.text == "real" and p.kind == "number"
                table[p.name] = _scaled(part, scale) if scaled else part
        return _tidy(draft)

    return draw()


def _tidy(draft: Draft) -> Draft:
    """Let a step that goes on lead to the state that stands next.

    Only where an episode ends may ``next_values`` say something else; an
    implementation that reads ``values`` everywhere else is right.
    """
    return replace(draft, rows=[_joined(row) for row in draft.rows])


def _joined(row: dict[str, Any]) -> dict[str, Any]:
    if "next_values" not in row:
        return row
    count = len(row["next_values"])
    follows = row.get("values", [Fraction(0)] * (count + 1))[1:]
    ends = [a or b for a, b in zip(*(row.get(k, [False] * count) for k in _ENDS), strict=True)]
    pairs = zip(row["next_values"], follows, ends, strict=True)
    return {**row, "next_values": [own if end else after for own, after, end in pairs]}


_ENDS = ("terminated", "truncated")
_SCALES = (Fraction(1),) * 6 + (Fraction(2) ** 60, Fraction(1, 2**60))


def _length(name: str, dims: dict[str, int], byte: int, longest: int) -> int:
    """Length along a dimension; half of all sequences are short."""
    base, _, extra = name.partition("+")
    if base not in dims:
        dims[base] = 1 + byte // 2 % (longest if byte % 2 else min(longest, 8))
    return dims[base] + int(extra or 0)


def _value(data: Sequence[int], p: Parameter, wide: bool, lengths: Sequence[int]) -> Any:
    if p.kind == "flag":
        # one step in four, so that episodes have a length
        flags = [byte % 4 == 3 for byte in data]
        return flags if p.shape else flags[0]
    if p.kind == "choice":
        return p.choices[data[0] % len(p.choices)]
    if p.kind in ("integer", "count"):
        low = p.domain.low if p.domain.low is not None else Fraction(0)
        high = p.domain.high if p.domain.high is not None else low + 9
        whole = int(low) + data[0] % (int(min(high, low + 9)) - int(low) + 1)
        return math.inf if p.kind == "count" and data[0] == 255 else whole
    if p.distribution:
        return _distribution(data)
    known = _palette(p, wide)
    numbers = [known[byte] for byte in data]
    return numbers if lengths else numbers[0]


def _scaled(value: Any, scale: Fraction) -> Any:
    if scale == 1:
        return value
    return [part * scale for part in value] if isinstance(value, list) else value * scale


# a draft as a vector


def vector(formula: Formula, draft: Draft, name: str = "generated") -> Vector | None:
    """The draft with its exact answer; ``None`` where the formula refuses it."""
    import numpy as np

    try:
        bound = [checked(formula, {**draft.shared, **row}) for row in draft.rows]
    except InputError:
        return None
    answers = [exact_answer(inputs) for inputs in bound]
    wanted = answer_name(formula)
    if any(wanted not in answer for answer in answers):
        return None
    first = bound[0]
    arrays = from_exact(first, "numpy")
    if draft.batch:
        others = [from_exact(inputs, "numpy") for inputs in bound]
        for p in formula.parameters:
            if p.name in draft.rows[0] or (p.default == "zeros" and arrays[p.name] is not None):
                stacked = np.stack([other[p.name] for other in others])
                arrays[p.name] = stacked.reshape(draft.batch + stacked.shape[1:])
    truth = {
        key: _nested([answer[key] for answer in answers], draft.batch) for key in answers[0] if key == wanted
    }
    return Vector(
        id=name,
        formula=formula,
        about="generated",
        given=first.given,
        texts={},
        arrays=arrays,
        truth=truth,
        demanded={d: DEMANDED[d] for d in ("float64", "float32")},
        scale=_scale(formula, arrays),
    )


def _scale(formula: Formula, arrays: dict[str, Any]) -> float:
    """Size of the largest number that goes in."""
    import numpy as np

    given = [arrays[p.name] for p in formula.parameters if p.kind == "number"]
    return max((float(np.abs(a).max()) for a in given if getattr(a, "size", 0)), default=0.0)


def _nested(values: list[Any], batch: tuple[int, ...]) -> Any:
    if not batch:
        return values[0]
    if len(batch) == 1:
        return values
    size = len(values) // batch[0]
    return [_nested(values[k * size : (k + 1) * size], batch[1:]) for k in range(batch[0])]


# searching


class _Fails(AssertionError):
    """The target failed on the case at hand."""


def search(
    target: Target,
    formula: Formula,
    conventions: Sequence[Convention],
    count: int,
    seed: int,
    batches: bool = True,
) -> tuple[int, Found | None, str]:
    """Run generated cases: how many, the smallest failing one, and why none ran.

    Raises:
        InputError: ``hypothesis_missing``.
    """
    why = cannot_generate(formula)
    if why:
        return 0, None, why
    hypothesis = hypothesis_or_refuse()
    from rlcalc.conform.runner import judged

    ran, worst = 0, None

    def judgement_of(draft: Draft) -> Judgement | None:
        nonlocal ran
        case = vector(formula, draft)
        if case is None:
            return None
        ran += 1
        return judged(target, case, draft.dtype, tuple(conventions), _call(target))

    def attempt(draft: Draft) -> None:
        nonlocal worst
        judgement = judgement_of(draft)
        if judgement is None:
            hypothesis.reject()
        elif judgement.failed:
            worst = draft
            raise _Fails

    settings = hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        derandomize=False,
        report_multiple_bugs=False,
        print_blob=False,
        phases=(hypothesis.Phase.generate,),
        suppress_health_check=list(hypothesis.HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
    )
    test = hypothesis.given(drafts(formula, target.accepts, target.dtypes, batches))(attempt)
    test = hypothesis.seed(seed)(settings(test))
    try:
        test()
    except _Fails:
        pass
    except hypothesis.errors.Unsatisfiable:
        return ran, None, "no case could be drawn that the function takes"
    except hypothesis.errors.Flaky:
        pass
    cases = ran
    return cases, None if worst is None else _smallest(formula, worst, judgement_of, target.dtypes), ""


def _smallest(
    formula: Formula, draft: Draft, ask: Callable[[Draft], Judgement | None], dtypes: Sequence[str]
) -> Found | None:
    first = ask(draft)
    if first is None or not first.failed:
        # it failed a moment ago: the target does not give the same answer twice
        return _found(draft, first, True) if first is not None else None

    def fails(other: Draft) -> bool:
        judgement = ask(other)
        return judgement is not None and judgement.status == first.status

    wide = replace(draft, dtype="float64")
    if draft.dtype != "float64" and "float64" in dtypes and fails(wide):
        draft = wide
    small = shrink(formula, draft, fails, _tidy, attempts_for(first))
    return _found(small, ask(small) or first, False)


def _found(draft: Draft, judgement: Judgement, flaky: bool) -> Found:
    rows = tuple({**draft.shared, **row} for row in draft.rows)
    return Found(judgement, rows, min(_first_wrong(judgement), len(rows) - 1), flaky)


def _call(target: Target) -> Any:
    from rlcalc.conform.runner import chain

    def call(case: Vector, dtype: str, conventions: Sequence[Convention]) -> Any:
        return target.call(case, dtype, chain([c for c in conventions if c.call is not None]))

    return call


def _first_wrong(judgement: Judgement) -> int:
    """Entry of the batch that holds the first wrong number, where the shape is right."""
    from rlcalc.conform.judge import wrong_entry

    return wrong_entry(judgement)
