"""Experience as people write it.

Steps: one a line or between semicolons, ``state action reward next`` with the next action as a fifth word
where it matters, ``state reward next`` where only states are valued. Episodes: ``state reward state reward``
(``state action reward`` each where there are actions), one a line. ``end`` as the next state says that the
episode is over, ``x6`` at the end of a line that it came six times. CSV with a header, tuples and records
say the same.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NoReturn

from rlcalc.errors import InputError, shown, suggestion
from rlcalc.exact import parse_number
from rlcalc.experience.model import Experience, Step, Table
from rlcalc.spelling import spelled

ENDS = ("end", "terminal", "done")
MOST_STEPS = 100_000
_TIMES = re.compile(r"[x×]([0-9]{1,5})", re.ASCII)
_IDLE = ("->", "→", "|")
_COLUMNS = {
    "state": ("state", "s", "obs", "observation"),
    "action": ("action", "a"),
    "reward": ("reward", "r"),
    "after": ("next_state", "next", "next_obs", "s_next", "s'"),
    "then": ("next_action", "a_next", "a'"),
    "done": ("done", "terminated", "end"),
}
_YES, _NO = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no", "")

STEPS = {True: "state action reward next-state", False: "state reward next-state"}
EPISODES = {True: "state action reward state action reward", False: "state reward state reward"}


def read_experience(raw: Any, *, actions: bool, episodes: bool, name: str = "steps") -> Experience:
    """Text, or a list of texts, tuples or records -> Experience.

    Args:
        raw: see above; in Python a reward may be any number.
        actions: whether actions matter.
        episodes: whether a line is an episode, or a step.
        name: of the input, for messages.

    Raises:
        InputError: ``steps_empty``, ``steps_syntax``, ``steps_too_many``, and the codes of the numbers.
    """
    if isinstance(raw, Experience):
        return raw
    lines = _lines(raw, name)
    found: list[Step] = []
    for number, words in enumerate(lines, start=1):
        times = _TIMES.fullmatch(words[-1]) if len(words) > 1 else None
        if times is not None:
            words = words[:-1]
        read = _Line(words, number, actions, name)
        made = read.episode() if episodes else [read.step()]
        found += made * (int(times[1]) if times else 1)
        if len(found) > MOST_STEPS:
            raise InputError("steps_too_many", f"{_option(name)} holds more than {MOST_STEPS:,} steps.")
    steps = found if episodes else _linked(found)
    return Experience(tuple(steps), "; ".join(" ".join(words) for words in lines))


def _option(name: str) -> str:
    return spelled(name)


def _lines(raw: Any, name: str) -> list[list[str]]:
    """Lines as lists of words."""
    if isinstance(raw, str):
        records = _csv_records(raw)
        parts: list[Any] = records if records is not None else re.split(r"[;\n]", raw)
    else:
        parts = list(raw) if isinstance(raw, Sequence) else [raw]
        if parts and all(isinstance(part, str) for part in parts):
            return _lines(" ".join(parts), name)
    found = [words for part in parts if (words := _words(part, name))]
    if not found:
        raise InputError(
            "steps_empty",
            f"{_option(name)} holds no step.",
            "Write steps such as 's1 right 1 s2; s2 down -10 end'.",
        )
    return found


def _words(part: Any, name: str) -> list[str]:
    if isinstance(part, Mapping):
        return _record(part, name)
    if isinstance(part, str):
        text = part.split("#", 1)[0].strip()
        if text.startswith("(") and text.endswith(")"):
            text = text[1:-1]
        return [word for word in text.replace(",", " ").split() if word not in _IDLE]
    if isinstance(part, Sequence):
        return ["end" if word is None else str(word) for word in part]
    raise InputError("steps_syntax", f"{_option(name)}: {shown(part)} is no step.", "Give a tuple or a text.")


def _csv_records(text: str) -> list[dict[str, str]] | None:
    """Rows of a table with a header; ``None`` where the text is no such table."""
    first = text.lstrip("\ufeff\n").split("\n", 1)[0]
    header = [cell.strip().lower() for cell in first.split(",")]
    if len(header) < 3 or not set(header) & set(_COLUMNS["reward"]):
        return None
    rows = csv.DictReader(io.StringIO(text.lstrip("\ufeff\n")), skipinitialspace=True)
    return [{str(key).strip().lower(): (cell or "") for key, cell in row.items() if key} for row in rows]


def _record(record: Mapping[Any, Any], name: str) -> list[str]:
    """Words of a step from a row of a table."""
    cells: dict[str, str] = {}
    for key, value in record.items():
        word = str(key).strip().lower().replace(" ", "_").replace("-", "_")
        own = next((own for own, names in _COLUMNS.items() if word in names), None)
        if own is None:
            known = [names[0] for names in _COLUMNS.values()]
            hint = suggestion(str(key), known) or f"There are {', '.join(known)}."
            raise InputError("steps_syntax", f"{_option(name)}: unknown column {shown(key)}.", hint)
        cells[own] = "" if value is None else str(value).strip()
    done = cells.pop("done", "").lower()
    if done not in (*_YES, *_NO):
        raise InputError("steps_syntax", f"{_option(name)}: done is 0 or 1, not {shown(done)}.")
    if done in _YES:
        cells |= {"after": "end", "then": ""}
    order = ("state", "action", "reward", "after", "then")
    return [cells[own] for own in order if cells.get(own)]


class _Line:
    """The words of one line, with its number for messages."""

    def __init__(self, words: Sequence[str], number: int, actions: bool, name: str) -> None:
        self.words, self.number, self.actions, self.name = list(words), number, actions, name

    def step(self) -> Step:
        words = self.words
        if not self.actions and len(words) in (4, 5):
            words = [words[0], *words[2:4]]  # actions do not matter
        if len(words) not in ((4, 5) if self.actions else (3,)):
            self._refuse(STEPS[self.actions])
        state, action = words[0], words[1] if self.actions else ""
        reward, after, *then = words[2:] if self.actions else words[1:]
        over = after.lower() in ENDS
        if over and then:
            self._refuse(STEPS[self.actions])
        follows = then[0] if then else ""
        return Step(state, action, self._reward(reward), None if over else after, follows, over)

    def episode(self) -> list[Step]:
        each = 3 if self.actions else 2
        words = self.words
        over = len(words) % each == 0
        if len(words) % each == 1 and len(words) > 1:
            *words, rest = words
            over, stopped = rest.lower() in ENDS, rest
        elif over:
            stopped = ""
        else:
            self._refuse(EPISODES[self.actions])
        groups = [words[k : k + each] for k in range(0, len(words), each)]
        found = []
        for k, group in enumerate(groups):
            final = k == len(groups) - 1
            after = (None if over else stopped) if final else groups[k + 1][0]
            then = "" if final or not self.actions else groups[k + 1][1]
            action = group[1] if self.actions else ""
            found.append(Step(group[0], action, self._reward(group[-1]), after, then, last=final))
        return found

    def _reward(self, text: str) -> Any:
        try:
            return parse_number(text.replace("−", "-"), symbols=False)
        except InputError as error:
            form = (STEPS if self.name == "steps" else EPISODES)[self.actions]
            raise InputError(
                error.code, f"{_option(self.name)}, step {self.number}: {error.message}", f"Expected: {form}."
            ) from None

    def _refuse(self, expected: str) -> NoReturn:
        raise InputError(
            "steps_syntax",
            f"{_option(self.name)}, number {self.number}: {shown(' '.join(self.words))} is not '{expected}'.",
            "Separate steps by semicolons; 'end' as the next state ends the episode.",
        )


def _linked(steps: Sequence[Step]) -> list[Step]:
    """Steps with the action that follows, where the next step goes on from the state that was reached."""
    found = []
    for t, step in enumerate(steps):
        follows = steps[t + 1] if t + 1 < len(steps) else None
        goes_on = follows is not None and step.after == follows.state and not step.last
        if goes_on and follows is not None and step.then and step.then != follows.action:
            raise InputError(
                "steps_contradict",
                f"Step {t + 1} says that {step.then} follows in {step.after}, step {t + 2} that "
                f"{follows.action} does.",
                "Leave the fifth word out where the next step says it.",
            )
        then = step.then or (follows.action if goes_on and follows is not None else "")
        found.append(Step(step.state, step.action, step.reward, step.after, then, last=not goes_on))
    return found


def read_table(raw: Any, *, actions: bool, name: str) -> Table:
    """Initial values: one number for all, ``s1 a1 3; s1 a2 -1``, or in Python a mapping.

    Raises:
        InputError: ``<name>_syntax``, ``<name>_twice``, and the codes of the numbers.
    """
    if isinstance(raw, Table):
        return raw
    if isinstance(raw, list) and all(isinstance(part, str) for part in raw):
        raw = " ".join(raw)
    if isinstance(raw, int | float | Fraction):
        raw = str(raw)
    if isinstance(raw, Mapping):
        rows = [[*(key if isinstance(key, tuple) else (key,)), value] for key, value in raw.items()]
        entries = [[str(word) for word in row] for row in rows]
    else:
        text = str(raw).replace(",", " ").replace("=", " ")
        entries = [row.split() for row in re.split(r"[;\n]", text) if row.strip()]
    if len(entries) == 1 and len(entries[0]) == 1:
        return Table({}, parse_number(entries[0][0], name=name, symbols=False), entries[0][0])
    size = 3 if actions else 2
    values: dict[tuple[str, ...], Any] = {}
    for entry in entries:
        if len(entry) != size:
            form = "'s1 a1 3; s1 a2 -1'" if actions else "'A 1/2; B 1'"
            raise InputError(
                f"{name}_syntax",
                f"{_option(name)}: {shown(' '.join(entry))} is no entry of the table.",
                f"Write {form}, or one number for all.",
            )
        *key, value = entry
        if tuple(key) in values:
            raise InputError(f"{name}_twice", f"{_option(name)} has two values of {' '.join(key)}.")
        values[tuple(key)] = parse_number(value.replace("−", "-"), name=name, symbols=False)
    return Table(values, Fraction(0), "; ".join(" ".join(entry) for entry in entries))
