"""Finding the binding of a function: roles by names, then layouts by trying.

What a function answers to a few probing arguments is compared with the right
answers, with those under the formula's conventions, then with those of its
known faults. A reading that merely runs is not accepted while another one
agrees; where none does, the one that is right in most entries is taken, and
the report says so.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, product
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.answers import Answers, Outputs, matched, near
from rlcalc.conform.binding.bound import sheet
from rlcalc.conform.binding.families import Family, laid_out
from rlcalc.conform.binding.model import Agreement, Binding
from rlcalc.conform.binding.names import TRANSITIONS, roles_of
from rlcalc.conform.binding.outputs import OutputsByValue
from rlcalc.conform.binding.sequence import ONE_ROW, VALID, Unfit
from rlcalc.conform.binding.slots import BUFFERS, STATE, Slots, slots_of, words_of
from rlcalc.conform.binding.token_values import SHIFTED
from rlcalc.conform.binding.tokens import Tokens
from rlcalc.conform.binding.transitions import ONE, flag_note, speaks_of_one
from rlcalc.conform.faults import catalogue
from rlcalc.conform.target.base import Target
from rlcalc.conform.target.call import Reply
from rlcalc.conform.target.facts import Facts
from rlcalc.conform.target.source import last_name
from rlcalc.specs import Formula

# Calls bound a search, so that a busy machine finds the same; the seconds are for slow functions.
MOST_CALLS, LONGEST = 800, 20.0
NEAREST = (
    "no reading of its parameters gives an answer that is right, declared or a known bug's; "
    "judged by the one that is nearest"
)
# in the place of a guess, to see whether it matters
UNLIKELY = "number:7"
# layouts of one row, with the same for several; of sequences np.append and the like give any array a shape
WITH_BATCH = {"[G]": "[..., G]"}


@dataclass
class Attempt:
    """A binding with what the function answered to the first probe under it."""

    binding: Binding
    parts: Mapping[str, Any]
    share: float


class Search:
    """One search; ``find`` gives the binding."""

    def __init__(self, target: Target, formula: Formula, family: Family, mapped: Mapping[str, str]) -> None:
        assert target.facts is not None
        self.target, self.formula, self.family = target, formula, family
        self.facts: Facts = target.facts
        self.slots: Slots = slots_of(self.facts, formula, mapped)
        self.answers = Answers(formula)
        self.calls, self.until = 0, time.monotonic() + LONGEST
        self.ran: list[Attempt] = []
        self.failure = ""
        self.takes_flat = False
        self.known: dict[Any, Reply] = {}
        self.outputs = OutputsByValue(formula, family, self.answers, target, self.facts)
        self.words: dict[str, str] = words_of(self.facts, formula) if isinstance(family, Tokens) else {}

    def find(self) -> Binding | None:
        """The best reading; ``None`` where no call came back."""
        for binding in self.candidates():
            if self.calls > MOST_CALLS or time.monotonic() > self.until:
                break
            if self.takes_flat and binding.layout == "[B, N]":
                continue  # one row of samples, for those that take no flat ones: it could hide how it reduces
            found = self.tried(binding)
            if found is not None:
                return self.said(self.of_batches(found) or self.one_list(found) or found)
        return self.faulty() or self.nearest()

    def unused(self, found: Binding) -> list[str]:
        """Guessed parameters that the answer does not depend on: nothing speaks for what they are."""
        given = self.family.probes(found)[0]
        usual = self.parts(found, given) or {}
        alike = []
        for path in (path for path in self.slots.guessed if path in found.inputs):
            other = self.parts(replace(found, inputs={**found.inputs, path: UNLIKELY}), given)
            if other and all(
                place in other and np.array_equal(a, other[place], equal_nan=True)
                for place, a in usual.items()
            ):
                alike.append(path)
        return alike

    def of_batches(self, found: Binding) -> Binding | None:
        """The reading with a batch, of a function that is right for one row and answers a batch in its shape.

        It mixes the rows then, which the probe of batches says.
        """
        wide = WITH_BATCH.get(found.layout, "") if found.form == "array" else ""
        plain = replace(found, layout=wide, outputs={}, agreed="", like=())
        answered = any(run.binding == plain and run.share >= 0 for run in self.ran)
        return replace(found, layout=wide) if answered else None

    def one_list(self, found: Binding) -> Binding | None:
        """The reading as plain lists of numbers, of a loop that only happens to take arrays, time first."""
        plain = found.backend == "numpy" or self.facts.framework == "either"  # the module has torch, not it
        if found.layout != "[T, B]" or found.form != "array" or not plain:
            return None
        values = laid_out(self.family, found, self.family.probes(found)[0])
        parts = self.target.lay_out(values, sheet(self.target, found)).parts
        if "" not in parts or parts[""].kind != "list":
            return None
        return self.tried(replace(found, layout="[T]", form="list", backend="numpy", outputs={}))

    def candidates(self) -> Iterator[Binding]:
        lists = any("ist" in a.annotation for a in self.facts.arguments or ())
        for inputs in self.slots.assignments():
            if _promises(inputs) and _loose(inputs):
                continue  # tokens have no value after the last one
            # what was written over an input is no output
            read = tuple(p for p in self.slots.read if inputs.get(p, "none") in BUFFERS | STATE | {"none"})
            first = Binding(self.formula.name, inputs, read=read, words=self.words)
            for binding in self.family.variations(first, self.backends, lists):
                for fixed in self.fixed(binding):
                    yield replace(binding, fixed=fixed)

    @cached_property
    def backends(self) -> tuple[Any, ...]:
        if self.target.backend != "numpy":
            return (self.target.backend,)
        found = self.facts.framework
        if found == "either":
            return ("torch", "numpy")
        return (found,) if found in ("torch", "jax") else ("numpy",)

    def fixed(self, binding: Binding) -> list[dict[str, float]]:
        """Numbers that the function has in its body, for what it has no place for."""
        if isinstance(self.family, Tokens):
            return self.family.fixed(binding, self.facts.numbers)
        roles = binding.roles
        have = roles | ({"gamma"} if roles & {"discounts", "td_errors"} else set())
        core = self.family.core(self.formula)
        lacking = [n for n in ("gamma", "lam", "eps", "n") if n in core and n not in have]
        numbers = list(dict.fromkeys([*self.facts.numbers, 1.0]))[:4]
        return [dict(zip(lacking, some, strict=True)) for some in product(numbers, repeat=len(lacking))]

    def parts(self, binding: Binding, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """What came back, by place, in the formula's layout; ``None`` where nothing did."""
        try:
            values = laid_out(self.family, binding, given)
        except Unfit:
            return None
        reply = self.reply(binding, values)
        if reply.kind == "hangs" or reply.died:
            self.calls = MOST_CALLS + 1
        if reply.kind != "answer":
            self.failure = self.failure or reply.detail
            return None
        arrays = {place: part.array for place, part in reply.parts.items() if part.array is not None}
        return {place: self.family.restore(binding, array, given) for place, array in arrays.items()}

    def reply(self, binding: Binding, values: Mapping[str, Any]) -> Reply:
        """One call; of numbers that stand in a body every value is tried on the same answer."""
        key = None
        if binding.fixed:
            key = (binding.backend, *((place, repr(value)) for place, value in values.items()))
            if key in self.known:
                return self.known[key]
        self.calls += 1
        found = self.target.lay_out(dict(values), {**sheet(self.target, binding), "brief": True})
        if key is not None:
            self.known[key] = found
        return found

    def tried(self, binding: Binding) -> Binding | None:
        """The binding with its outputs, where it agrees on every probe."""
        probes = self.family.probes(binding)
        first = self.parts(binding, probes[0])
        if not first:
            return None
        self.takes_flat |= binding.layout == "[...]" and all(np.ndim(v) < 2 for v in probes[0].values())
        alive = {names: self.outputs.match(first, probes[0], names) for names in self.conventions(binding)}
        alive = {names: places for names, places in alive.items() if places}
        if not alive:
            self.ran.append(Attempt(binding, first, self.outputs.share(first, probes[0])))
            return None
        seen = [first]
        for given in probes[1:]:
            parts = self.parts(binding, given)
            if not parts:
                return None
            seen.append(parts)
            for names in list(alive):
                places = self.outputs.match(parts, given, names)
                alive[names] = {n: p for n, p in alive[names].items() if places.get(n) == p}
                if not alive[names]:
                    del alive[names]
        if not alive:
            self.ran.append(Attempt(binding, first, self.outputs.share(first, probes[0])))
            return None
        if not self.credible(binding, probes[0]):
            self.ran.append(Attempt(binding, first, self.outputs.share(first, probes[0])))
            return None
        alive = {names: alive[names] for names in alive if self.answers.sees_all(names)} or alive
        names = min(alive, key=lambda names: (-len(alive[names]), len(names)))
        outputs = {**self.outputs.rest(first, alive[names], probes[0], names), **alive[names]}
        agreed: Agreement = "convention" if names else "formula"
        return replace(binding, outputs=outputs, agreed=agreed, like=names)

    def conventions(self, binding: Binding) -> list[tuple[str, ...]]:
        """Those that nothing in the signature speaks against."""
        sets, have = self.answers.sets, self.family.conveys(binding)
        return [names for names in self.answers.conventions if not have & {sets[n] for n in names if sets[n]}]

    def credible(self, binding: Binding, given: Mapping[str, Any]) -> bool:
        """Whether a reading that is right is no way around a fault.

        A column is not taken from a function that answers for several columns
        and does so wrongly; a mask that may be one of episodes is one of
        tokens only where the tokens that it takes away have no advantage.
        """
        if binding.layout == "[T, 1]":
            return not any(run.binding.layout == "[T, B]" and run.share >= 0 for run in self.ran)
        if binding.layout == ONE:
            return not self.answers_several() or speaks_of_one(binding)
        if not (_loose(binding.inputs) and "rewards" in given):
            return True
        valid = np.ones(given["rewards"].shape, bool)
        valid[..., 2] = False
        masked = self.parts(binding, {**given, VALID: valid.reshape(-1, valid.shape[-1])}) or {}
        return any(not a[..., 2].any() for a in masked.values() if a.shape == valid.shape)

    def answers_several(self) -> bool:
        """Whether it gave an answer for several transitions at once, and not the right one."""
        return any(run.binding.layout != ONE and run.share >= 0 for run in self.ran)

    @property
    def likely(self) -> list[Attempt]:
        """What ran, without readings that only an agreement could have spoken for."""
        lasts = {"last_done", "last_mask"}
        # a flag after the last step says that the others came with observations
        ends = {True: "observation", False: "step"}
        some = [run for run in self.ran if run.binding.ends == ends[bool(run.binding.roles & lasts)]]
        steps = [run for run in some if not _loose(run.binding.inputs)] or some or self.ran
        wide = any(run.binding.layout == "[T, B]" and run.share >= 0 for run in steps)
        return [run for run in steps if not (wide and run.binding.layout == "[T, 1]")]

    def best_by_layout(self) -> list[Attempt]:
        """Of each layout the reading that is right in most entries, in the order of trying: batches first."""
        found: dict[tuple[str, str], Attempt] = {}
        for run in self.likely:
            key = run.binding.layout, run.binding.form
            if key not in found or run.share > found[key].share:
                found[key] = run
        return list(found.values())

    def faulty(self) -> Binding | None:
        """A reading under which the function has a known fault."""
        runs = [(run, self.family.probes(run.binding)) for run in self.best_by_layout()]
        known = chain(product(self.answers.faults, runs), product(self.answers.pairs, runs))
        for names, (run, probes) in known:
            first = self.answers.faulty(probes[0], names)
            outputs = matched(run.parts, first, self.outputs.names)
            if not outputs:
                continue
            wrong = [first, *(self.answers.faulty(given, names) for given in probes[1:])]
            for given, answer in zip(probes[1:], wrong[1:], strict=True):
                if outputs:
                    places = matched(self.parts(run.binding, given) or {}, answer, self.outputs.names)
                    outputs = {n: p for n, p in outputs.items() if places.get(n) == p}
            pairs = list(zip(wrong, probes, strict=True))
            if any(self.shows(answer, given, names[1:], outputs) for answer, given in pairs):
                outputs = {**self.outputs.rest(run.parts, outputs, probes[0]), **outputs}
                return self.said(replace(run.binding, outputs=outputs, agreed="fault", like=names))
        return None

    def shows(self, wrong: Outputs, given: Mapping[str, Any], ways: tuple[str, ...], outputs: Any) -> bool:
        """Whether a fault makes a difference in some outputs."""
        right = self.answers.right(given, ways)
        common = [n for n in outputs if n in wrong and n in right]
        return any(wrong[n].shape != right[n].shape or not near(wrong[n], right[n]).all() for n in common)

    def nearest(self) -> Binding | None:
        """The reading that is right in most entries, of those that give an answer at all."""
        if not self.ran:
            return None
        best = max(self.best_by_layout(), key=lambda run: run.share - (run.binding.layout in ONE_ROW) / 4)
        right = self.answers.right(self.family.probes(best.binding)[0], ())
        named = self.outputs.rest(best.parts, {}, self.family.probes(best.binding)[0])
        agreed: Agreement = "part" if best.share > 0 else "names"
        outputs = named or self.outputs.by_shape(best.parts, right)
        return self.said(replace(best.binding, outputs=outputs, agreed=agreed))

    def seen_under_the_mask(self, binding: Binding) -> list[str]:
        """That what a mask hides changes the answer, if it does: any number, of a right one nan."""
        if not isinstance(self.family, Tokens):
            return []
        given, right = self.family.probes(binding)[0], binding.agreed in ("formula", "convention")
        other = self.family.disturbed(binding, given, np.nan if right else 0.0)
        if other is None:
            return []
        usual = self.parts(binding, given) or {}
        family, self.family = self.family, other[0]
        moved = self.parts(binding, other[1]) or {}
        self.family = family
        alike = [np.allclose(a, moved[p], equal_nan=True) for p, a in usual.items() if p in moved]
        masks = [path for path, role in binding.inputs.items() if role in ("mask", "valid", "padding")]
        if all(alike):
            return []
        if right:
            return [f"a nan under {masks[0]} reaches the answer, since 0·nan is nan: where() leaves it out"]
        return [f"numbers that {masks[0]} hides change the answer: they must not count"]

    def said(self, binding: Binding) -> Binding:
        """With what a reader has to know."""
        notes = []
        guessed = [f"{p} = {binding.inputs[p]}" for p in self.slots.guessed if p in binding.inputs]
        if guessed:
            notes.append(f"names say nothing of {', '.join(guessed)}: found by trying")
        if self.slots.dropped:
            notes.append(f"left at their defaults: {', '.join(self.slots.dropped)}")
        ends = [path for path, role in binding.inputs.items() if role in ("done", "mask", "discounts")]
        if ends and binding.agreed != "names" and not isinstance(self.family, Tokens):
            about = flag_note if binding.formula in TRANSITIONS else _flag_note
            notes.append(about(binding, ends[0]))
        if wide := [path for path, role in binding.inputs.items() if role == "wide"]:
            notes.append(
                f"{wide[0]} is made so wide that nothing is clipped: --formula value-clip-loss tests the clip"
            )
        if off := [path for path, role in binding.inputs.items() if role == "no_kl"]:
            notes.append(f"{off[0]} is set to 0: --formula kl-estimate tests a divergence by itself")
        if binding.layout == ONE and self.answers_several():
            notes.append("right for one transition a call; what it gives for several at once is wrong")
        if "no-bootstrap" in binding.like and _promises(binding.inputs):
            last = next(p for p, role in binding.inputs.items() if role in ("last_value", "critic"))
            notes.append(f"{last} is taken and never used: the value after the last step is lost")
            binding = replace(binding, excludes=("no-bootstrap",))
        if set(binding.outputs) == {"returns"} and "advantages" in self.outputs.names:
            notes.append(
                "its answer is the returns, advantage + value, and is judged as such; "
                "a caller who takes it for the advantages is wrong by the value"
            )
        if binding.layout in SHIFTED:
            notes.append(
                "right where its caller has shifted: row t predicts label t; "
                "a caller who does not asks each row for the token that it has read"
            )
        notes += self.seen_under_the_mask(binding)
        if binding.masked == "left":
            masks = [path for path, role in binding.inputs.items() if role in ("mask", "padding")]
            notes.append(f"what it answers where {masks[0]} says nothing is, is not 0: its caller masks it")
        if binding.agreed in ("part", "names"):
            notes.append(NEAREST)
        # what a convention would change about the arguments is known already, and would only hide a bug
        calls = [way.name for way in catalogue(self.formula.name).conventions if way.call is not None]
        return replace(binding, notes=tuple(notes), excludes=(*binding.excludes, *calls))


def _loose(inputs: Mapping[str, str]) -> list[str]:
    """Masks that are read as masks of tokens and could be masks of episodes, by their name."""
    return [
        p for p, role in inputs.items() if role == "valid" and "mask" in roles_of(last_name(p), "sequence")
    ]


def _promises(inputs: Mapping[str, str]) -> bool:
    """Whether a value after the last step is handed over by itself."""
    return bool(set(inputs.values()) & {"last_value", "critic"})


def _flag_note(binding: Binding, path: str) -> str:
    if binding.ends == "observation":
        return (
            f"{path}[t] is read as the flag that came with observation t: right where it is stored so; "
            "a caller who stores the flag of reward t has every episode end one step late"
        )
    return (
        f"{path}[t] is read as the flag that came with reward t; "
        "a caller who stores the flag of observation t has every episode end one step early"
    )
