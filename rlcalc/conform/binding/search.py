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
from functools import cached_property, partial
from itertools import chain, product
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.answers import Asked, alike, answers_of, matched
from rlcalc.conform.binding.body import in_the_body
from rlcalc.conform.binding.bound import sheet
from rlcalc.conform.binding.each import answer_of
from rlcalc.conform.binding.families.agent_places import agents, guessed_table
from rlcalc.conform.binding.families.agent_play import is_agent
from rlcalc.conform.binding.families.base import Family, Unfit
from rlcalc.conform.binding.families.family import laid_out
from rlcalc.conform.binding.families.processes import Processes
from rlcalc.conform.binding.families.sequence import ONE, ONE_ROW, VALID
from rlcalc.conform.binding.families.token_layouts import AS_ITS_OWN, EACH, SAMPLES
from rlcalc.conform.binding.families.tokens import Tokens
from rlcalc.conform.binding.families.transitions import speaks_of_one
from rlcalc.conform.binding.families.updates import TABLE
from rlcalc.conform.binding.lengths import having_room
from rlcalc.conform.binding.model import CANONICAL, Agreement, Binding
from rlcalc.conform.binding.outputs import OutputsByValue
from rlcalc.conform.binding.slots import STATE, Slots, slots_of, words_of
from rlcalc.conform.binding.words.roles import BUFFERS, loose, promises
from rlcalc.conform.target.base import Target
from rlcalc.conform.target.call import Reply
from rlcalc.conform.target.facts import Facts
from rlcalc.conform.target.networks import FLOWS_BACK
from rlcalc.conform.target.policies import ENTROPY_WEIGHT
from rlcalc.specs import Formula

# Calls bound a search, so that a busy machine finds the same; the seconds are for slow functions.
MOST_CALLS, LONGEST = 800, 20.0
# of places, in which a wrong function is compared with known faults
MOST_MEANINGS = 4
# in the place of a guess, to see whether it matters
UNLIKELY = "number:7"
# layouts of one row, with the same for several
WITH_BATCH = {"[G]": "[..., G]", "[T]": CANONICAL}


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
        self.mapped = mapped
        self.slots: Slots = slots_of(self.facts, formula, mapped)
        self.answers = answers_of(formula.name)
        self.dtype = "float64"
        self.calls, self.until = 0, time.monotonic() + LONGEST
        self.ran: list[Attempt] = []
        self.failure = ""
        self.ran_parts: Mapping[str, Any] = {}
        self.takes_flat = False
        self.known: dict[Any, Reply] = {}
        self.outputs = OutputsByValue(formula, family, self.answers, target, self.facts)
        self.words: dict[str, str] = words_of(self.facts, formula) if isinstance(family, Tokens) else {}

    def find(self) -> Binding | None:
        """The best reading; ``None`` where no call came back, in double precision or in single."""
        found = self.best()
        if found is None and self.calls <= MOST_CALLS and {*self.backends} & {"torch", "jax"}:
            # tensors that a function makes itself are single ones, and often go with no others
            self.dtype, self.calls = "float32", 0
            self.known.clear()
            found = self.best()
        return found

    def best(self) -> Binding | None:
        """The best reading in one precision."""
        for binding in self.candidates():
            if self.calls > MOST_CALLS or time.monotonic() > self.until:
                break
            if binding.layout == EACH and self.ran:
                continue  # it takes several at once, and that is what it is asked for
            if self.takes_flat and binding.layout == "[B, N]":
                continue  # one row of samples, for those that take no flat ones: it could hide how it reduces
            found = self.tried(binding)
            if found is not None:
                found = self.more_under_the_mask(found)
                return self.of_batches(found) or self.one_list(found) or found
        return self.faulty() or self.nearest()

    def more_under_the_mask(self, found: Binding) -> Binding:
        """The reading that leaves what a mask hides to the caller, where more of the answer is right so."""
        if not isinstance(self.family, Tokens) or found.masked == "left" or len(self.ran_parts) < 2:
            return found
        other = self.tried(replace(found, masked="left", outputs={}, agreed="", like=()))
        return (
            other if other and other.like == found.like and len(other.outputs) > len(found.outputs) else found
        )

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
        if found.layout == "[T]" and self.facts.method:
            return None  # what an object has kept of one episode
        return replace(found, layout=wide) if self.answers_as(found, wide) else None

    def answers_as(self, found: Binding, layout: str) -> bool:
        """Whether a reading gave an answer in another layout as well, of the right shape and wrong."""
        plain = replace(found, layout=layout, outputs={}, agreed="", like=())
        return any(run.binding == plain and run.share >= 0 for run in self.ran)

    def one_list(self, found: Binding) -> Binding | None:
        """The reading as plain lists of numbers, of a loop that only happens to take arrays, time first."""
        plain = found.backend == "numpy" or self.facts.framework in (
            "either",
            "called",
        )  # the module has torch, not it
        if found.layout != "[T, B]" or found.form != "array" or not plain:
            return None
        values = laid_out(self.family, found, self.family.probes(found)[0])
        parts = self.target.lay_out(values, sheet(self.target, found)).parts
        if "" not in parts or parts[""].kind != "list":
            return None
        return self.tried(replace(found, layout="[T]", form="list", backend="numpy", outputs={}))

    def candidates(self) -> Iterator[Binding]:
        yield from self.readings(self.backends)
        if self.backends == ("torch",) and self.target.backend == "numpy" and not self.ran:
            yield from self.readings(("numpy",))  # it makes tensors of what it is given

    def readings(self, backends: tuple[Any, ...]) -> Iterator[Binding]:
        """All that its parameters may mean, with every layout of arrays."""
        lists = any("ist" in a.annotation for a in self.facts.arguments or ())
        for inputs in self.slots.assignments():
            if promises(inputs) and loose(inputs):
                continue  # tokens have no value after the last one
            # what was written over an input is no output, but for what is there to be written over
            kept = {"values"} if isinstance(self.family, Processes) else set()
            over = BUFFERS | STATE | {TABLE, "none"} | kept
            read = tuple(p for p in self.slots.read if inputs.get(p, "none") in over)
            first = Binding(self.formula.name, inputs, read=read, words=self.words)
            for binding in having_room(self.family.variations(first, backends, lists), self.facts):
                yield from (replace(binding, fixed=fixed) for fixed in self.fixed(binding))
        if backends == self.backends:
            yield from agents(self.target, self.formula.name, self.slots.assignments(), self.fixed)

    @cached_property
    def backends(self) -> tuple[Any, ...]:
        if self.target.backend != "numpy":
            return (self.target.backend,)
        found = self.facts.framework
        several = {"either": ("torch", "numpy"), "called": ("numpy", "torch")}
        return several.get(found) or ((found,) if found in ("torch", "jax") else ("numpy",))

    def fixed(self, binding: Binding) -> list[dict[str, float]]:
        """Numbers that the function has in its body, for what it has no place for."""
        found, failure = in_the_body(self.family, self.formula, self.facts, binding)
        self.failure = failure or self.failure
        return found

    def parts(self, binding: Binding, given: Mapping[str, Any]) -> dict[str, Any] | None:
        """What came back, by place, in the formula's layout; ``None`` where nothing did."""
        given = {name: _in(self.dtype, value) for name, value in given.items()}
        try:
            reply = answer_of(self.family, binding, given, partial(self.reply, binding))
        except Unfit:
            return None
        if reply.kind == "hangs" or reply.died:
            self.calls = MOST_CALLS + 1
        if reply.kind != "answer":
            # what only this layout fails by says less than a loss that is wrong in every one
            more = FLOWS_BACK in reply.detail or is_agent(binding)
            self.failure = reply.detail if more else self.failure or reply.detail
            return None
        parts = reply.parts.items()
        arrays = {p: part.array for p, part in parts if part.array is not None and p != ENTROPY_WEIGHT}
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
        self.ran_parts = first
        self.takes_flat |= binding.layout == "[...]" and all(np.ndim(v) < 2 for v in probes[0].values())
        alive = {names: self.outputs.match(first, probes[0], names) for names in self.conventions(binding)}
        alive = {names: places for names, places in alive.items() if places}
        for given in probes[1:] if alive else ():
            parts = self.parts(binding, given)
            if not parts:
                return None
            for names in list(alive):
                places = self.outputs.match(parts, given, names)
                alive[names] = {n: p for n, p in alive[names].items() if places.get(n) == p}
                if not alive[names]:
                    del alive[names]
        if not alive or not self.credible(binding, probes[0]):
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
        if binding.layout == SAMPLES:  # one after the other is for what takes no table, and reduces over all
            return not any(run.binding.layout == AS_ITS_OWN for run in self.ran)
        if binding.layout == ONE:
            return not self.answers_several() or speaks_of_one(binding)
        if not (loose(binding.inputs) and "rewards" in given):
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
        steps = [run for run in some if not loose(run.binding.inputs)] or some or self.ran
        wide = any(run.binding.layout == "[T, B]" and run.share >= 0 for run in steps)
        return [run for run in steps if not (wide and run.binding.layout == "[T, 1]")]

    def best_by_layout(self) -> list[list[Attempt]]:
        """Of each layout the reading that is right in most entries, in the order of trying: batches first.

        Apart for each meaning of the places: where all are wrong, the fewest wrong entries do not tell it.
        """
        found: dict[tuple[tuple[str, str], ...], dict[Any, Attempt]] = {}
        for run in self.likely:
            best = found.setdefault(tuple(run.binding.inputs.items()), {})
            # of tokens each number of the body may be the one that it is wrong with
            within = tuple(run.binding.fixed.items()) if isinstance(self.family, Tokens) else ()
            key = run.binding.layout, run.binding.form, run.binding.single, within
            if key not in best or run.share > best[key].share:
                best[key] = run
        return [list(best.values()) for best in found.values()]

    def faulty(self) -> Binding | None:
        """A reading under which the function has a known fault."""
        readings = [
            [
                (run, self.family.conveys(run.binding), self.asked(run))
                for run in runs
                if of_one(run) == one and not guessed_table(run.binding, self.mapped)
            ]
            for runs in self.best_by_layout()[:MOST_MEANINGS]
            for one in (False, True)  # of single transitions more bugs look alike
        ]
        known = chain.from_iterable(
            product(names, runs) for names in (self.answers.faults, self.answers.pairs) for runs in readings
        )
        needs = {name: {*fault.presumes} for name, fault in self.answers.by_name.items()}
        for names, (run, have, probes) in known:
            if any(needs[name] and not needs[name] & have for name in names[0].split(" + ")):
                continue
            outputs = matched(run.parts, probes[0].faulty(names), self.outputs.names)
            # one number of several is too little to know a bug by
            outputs = {n: p for n, p in outputs.items() if n not in self.outputs.first or not p}
            for asked in probes[1:]:
                if outputs:
                    parts, wrong = self.parts(run.binding, asked.given) or {}, asked.faulty(names)
                    if not (parts or wrong):  # a bug that raises there as well
                        continue
                    places = matched(parts, wrong, self.outputs.names)
                    outputs = {n: p for n, p in outputs.items() if places.get(n) == p}
            if any(self.shows(asked, names, outputs) for asked in probes):
                outputs = {**self.outputs.rest(run.parts, outputs, probes[0].given), **outputs}
                return replace(run.binding, outputs=outputs, agreed="fault", like=names)
        return None

    def asked(self, run: Attempt) -> list[Asked]:
        return [self.answers.asked(given) for given in self.family.probes(run.binding)]

    def shows(self, asked: Asked, names: tuple[str, ...], outputs: Mapping[str, str]) -> bool:
        """Whether a fault makes a difference in some outputs; what is 0 throughout shows none."""
        wrong, right = asked.faulty(names), asked.right(names[1:])
        both = [name for name in outputs if name in wrong and name in right]
        return any(np.any(wrong[name]) and not alike(wrong[name], right[name]) for name in both)

    def steady(self, run: Attempt) -> bool:
        """Whether it answers on every probe."""
        return all(self.parts(run.binding, given) for given in self.family.probes(run.binding)[1:])

    def nearest(self) -> Binding | None:
        """The reading that is right in most entries, of those that give an answer at all."""
        if not self.ran:
            return None
        runs = [*chain.from_iterable(self.best_by_layout())]
        # where some rows of several are right, it takes several: a call for each would say that it cannot
        several = [run for run in runs if run.binding.layout != ONE]
        runs = several if any(run.share > 0 for run in several) else runs
        runs.sort(key=lambda run: run.share - (run.binding.layout in ONE_ROW) / 4, reverse=True)
        # one that raises on another probe is no reading, where there is one that does not
        best = next(filter(self.steady, runs), runs[0])
        right = self.answers.right(self.family.probes(best.binding)[0], ())
        named = self.outputs.rest(best.parts, {}, self.family.probes(best.binding)[0])
        agreed: Agreement = "part" if best.share > 0 else "names"
        outputs = named or self.outputs.by_shape(best.parts, right)
        return replace(best.binding, outputs=outputs, agreed=agreed)


def of_one(run: Attempt) -> bool:
    return run.binding.layout == ONE


def _in(dtype: str, value: Any) -> Any:
    """A floating value in a precision; anything else as it is."""
    return value.astype(dtype) if getattr(value, "dtype", None) == np.float64 else value
