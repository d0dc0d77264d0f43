"""Formulas of language-model training: tables of tokens with their masks, answers of a batch, pairs, logits.

A trainer's function takes ``[N, T]`` and a mask. Where the formula has no mask
of its own, columns that are not there are put in, with numbers that must not
count: a function that looks at them is seen. What a function has in its body
(``k1``, a mean over answers) is a convention, not part of the binding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families.base import Arrays, Family, Unfit, ways
from rlcalc.conform.binding.families.token_layouts import (
    ADV_COLUMN,
    ADV_ROWS,
    ADV_TOKENS,
    ALIGNED,
    ALIGNED_ONE,
    AS_ITS_OWN,
    BATCH,
    COLUMN_AN_ANSWER,
    COLUMNS,
    EACH,
    FLAT,
    IN_LISTS,
    OF_ONE,
    ONE_COLUMN,
    ROWS,
    SAMPLES,
    TABLES,
)
from rlcalc.conform.binding.families.token_probes import probes_of
from rlcalc.conform.binding.families.token_values import ABSENT, GARBAGE, MASKS, Call
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.words.token_roles import STANDS_FOR
from rlcalc.conform.target.policies import is_policy
from rlcalc.specs import Formula, Parameter

# numbers that may stand in a body, of each formula
IN_BODY = {
    "policy_clip": ("eps_low",),
    "token_gae": ("gamma", "lam"),
    "value_clip_loss": ("eps",),
    "dpo_loss": ("beta",),
    "ipo_loss": ("beta",),
    "orpo_loss": ("beta",),
    "kto_loss": ("beta",),
}


class Tokens(Family):
    """How the arguments of one of these formulas are handed over."""

    def __init__(self, formula: Formula, garbage: float = GARBAGE) -> None:
        self.formula, self.garbage = formula, garbage

    @cached_property
    def main(self) -> Parameter:
        """The table that others are like."""
        numbers = [p for p in self.formula.parameters if p.kind in ("number", "integer")]
        tables = [p for p in numbers if p.shape] or numbers  # without a table every number is like the first
        return max(tables, key=lambda p: len(p.shape))  # the first of the largest

    @cached_property
    def defaults(self) -> Arrays:
        """What the formula takes where nothing is given."""
        return {p.name: _default(p) for p in self.formula.parameters}

    def arrange(self, binding: Binding, given: Mapping[str, Any]) -> Arrays:
        """Values by place."""
        whole = {**self.defaults, **{n: v for n, v in given.items() if v is not None}}
        high = whole.get("eps_high")
        if "eps_high" not in binding.roles and high is not None and float(high) != float(whole["eps_low"]):
            raise Unfit("one width for both sides")
        # of an action the log-probability is below 0, also where it does not count
        garbage = -abs(self.garbage) if any(map(is_policy, binding.inputs)) else self.garbage
        call = Call(self.formula, self.main, binding, whole, self.adds(binding), garbage)
        return {path: call.value(role) for path, role in binding.meant.items()}

    def restore(self, binding: Binding, array: Any, given: Mapping[str, Any]) -> Any:
        """An output in the formula's layout; columns that were not there are taken away."""
        like = np.asarray(given[self.main.name])
        if not array.ndim:
            return array
        if binding.masked == "left" and array.shape == like.shape:
            valid = self.formula.mask and given.get(self.formula.mask.name)
            return array if valid is None else np.where(np.asarray(valid, bool), array, 0)
        if not like.ndim:
            return array.reshape(()) if array.size == 1 else array
        tokens = like.shape[-1 if self.main.shape[-1] != "V" else -2]
        if self.main.shape == ("N",) and "desirable" in given and "desirable" not in binding.roles:
            # first those of one kind, then those of the other
            order = np.argsort(~np.asarray(given["desirable"], bool), kind="stable")
            return array[np.argsort(order)] if array.shape == like.shape else array
        if self.main.shape == ("N",):
            if binding.layout == COLUMNS and array.size == like.size:
                groups = np.asarray(given["groups"])
                array = array.reshape((groups == groups[0]).sum(), -1).T
            return _of_rows(binding, array, like)
        if array.shape == like.shape[:1] and ("N",) in {o.shape for o in self.formula.outputs}:
            return array
        if self.adds(binding) and binding.layout == ONE_COLUMN:
            array = array[:, 0] if array.ndim == 2 and array.shape[1] == 1 + ABSENT else array
        elif self.adds(binding) and array.ndim and array.shape[-1] == tokens + ABSENT:
            array = array[..., :tokens]
        if binding.layout == AS_ITS_OWN:
            return array
        wanted = like.shape if self.main.shape[-1] != "V" else like.shape[:-1]
        if self.formula.name in ("token_logprobs", "sft_loss"):
            wanted = (*wanted[:-1], wanted[-1] - 1)
        if array.size == int(np.prod(wanted)):
            return array.reshape(wanted)
        whole = (*wanted, like.shape[-1])
        return array.reshape(whole) if array.size == int(np.prod(whole)) else array

    def restore_slope(self, binding: Binding, name: str, array: Any, given: Mapping[str, Any]) -> Any:
        """A derivative, which has the layout of what it is by, in the formula's own."""
        slope = next(o.derivative for o in self.formula.outputs if o.name == name)
        assert slope is not None
        like = np.asarray(given[slope.by])
        tokens = -2 if self.formula.parameter(slope.by).shape[-1] == "V" else -1
        if self.adds(binding) and array.ndim >= -tokens and tokens == -1:
            array = array[..., :-ABSENT]
        elif self.adds(binding) and array.ndim >= -tokens:
            array = array[..., :-ABSENT, :]
        wanted = list(like.shape)
        if binding.layout in (ALIGNED, FLAT, ALIGNED_ONE):
            wanted[tokens] -= 1
        if array.size != int(np.prod(wanted)):
            return array
        array = array.reshape(wanted)
        # the last row of logits predicts nothing
        last = self.formula.name == "token_logprobs" and wanted[tokens] == like.shape[tokens]
        return array[..., :-1, :] if last else array

    def adds(self, binding: Binding) -> bool:
        """Whether columns are put in that are not there."""
        return self.formula.mask is None and bool(binding.roles & {"valid", "padding"})

    def variations(self, binding: Binding, backends: tuple[str, ...], lists_first: bool) -> Iterator[Binding]:
        """Layouts to try."""
        roles = binding.roles
        flags = ["bool", "float", "int"] if roles & {*MASKS, "groups", "desirable"} else ["bool"]
        laid = [(layout, "array") for layout in self.layouts(roles)]
        if self.main.shape == ("N",) or OF_ONE in self.layouts(roles):
            laid.append((ROWS if self.main.shape else OF_ONE, "list"))
        if lists_first:
            laid.reverse()
        tables = self.formula.mask is not None and self.main.shape in {o.shape for o in self.formula.outputs}
        left = tables and bool(roles & {"mask", "padding"}) and self.formula.name != "loss_aggregation"
        masked = ("zero", "left") if left else ("zero",)
        yield from ways(binding, masked=masked, backend=backends, laid=laid, flags=flags)
        own = self.formula.names
        if self.main.shape in (("K",), ("N",)) and not roles & {*MASKS, "groups"} and "groups" not in own:
            # plain numbers, then arrays without axes
            yield from ways(binding, layout=(EACH,), backend=backends[-1:], form=("list",))
            yield from ways(binding, layout=(EACH,), backend=backends, form=("array",))

    def layouts(self, roles: frozenset[str]) -> tuple[str, ...]:
        """Layouts of arrays, the likeliest first."""
        if self.formula.name == "token_logprobs":
            return (AS_ITS_OWN, ALIGNED, "[1, K, V]", ALIGNED_ONE)
        if self.formula.name == "sft_loss":
            return (AS_ITS_OWN, ALIGNED, FLAT)
        if self.formula.name in IN_LISTS:
            return (AS_ITS_OWN, OF_ONE)
        if "answer_logits" in roles:
            return (AS_ITS_OWN, ALIGNED)
        if self.formula.name == "token_entropy":
            return (AS_ITS_OWN, "[1, K, V]")
        if "groups" in self.formula.names and self.main.shape == ("N",):
            return (ROWS,) if roles & {"groups", "group_size", "token_scores"} else (TABLES, COLUMNS, ROWS)
        if self.main.shape == ("K",):
            beside = [ONE_COLUMN] * ("adv" in roles) + [ADV_ROWS] * ("no_adv" in roles)
            return (AS_ITS_OWN, BATCH, *beside)
        if self.formula.name == "gspo":
            return (AS_ITS_OWN, ADV_TOKENS, ADV_COLUMN)
        if roles & {p.name for p in self.formula.parameters if p.shape == ("N",)}:
            return (AS_ITS_OWN, COLUMN_AN_ANSWER)
        flat = [SAMPLES] * (self.formula.name == "value_clip_loss")
        return (AS_ITS_OWN, *flat, *([ADV_ROWS] * ("no_adv" in roles)))

    def conveys(self, binding: Binding) -> frozenset[str]:
        """Parameters of the formula that the binding has a place for."""
        own = self.formula.names
        found = set(binding.roles & own) | set(binding.fixed)
        for role in binding.roles:
            found |= set(STANDS_FOR.get(role, ()))
        if self.main.shape == ("N",) and "groups" in own:
            found.add("groups")
        found.add("eps_high")  # a call with two widths is refused where there is a place for one
        return frozenset(found & own)

    def core(self, formula: Formula) -> frozenset[str]:
        required = [p for p in formula.parameters if p.required]
        tables = [p for p in required if p.shape] or required
        return frozenset(p.name for p in tables if p.name != "groups")

    def fixed(self, binding: Binding, numbers: tuple[float, ...]) -> list[dict[str, float]]:
        """Numbers that may stand in the body, the formula's own defaults first."""
        names = IN_BODY.get(self.formula.name, ())
        lacking = [n for n in names if n not in self.conveys(binding)]
        ways = [dict.fromkeys(lacking)]
        for name in lacking:
            own = self.defaults[name]
            others = [x for x in numbers if own is None or float(own) != x][:4]
            others += [1.0] * (name == "beta" and 1.0 not in others)  # a loss without β is one with β = 1
            ways += [{**dict.fromkeys(lacking), name: x} for x in others]
        if len(lacking) > 1:
            ways += [
                dict(zip(lacking, some, strict=True)) for some in product(numbers[:3], repeat=len(lacking))
            ]
        return [{n: x for n, x in way.items() if x is not None} for way in ways]

    def probes(self, binding: Binding) -> list[Arrays]:
        """Arguments that tell readings apart."""
        table = self.formula.name in ("group_advantage", "rloo_advantage")
        equal = table and not binding.roles & {"groups", "token_scores"}
        one = equal and binding.layout == ROWS and "group_size" not in binding.roles
        found = probes_of(self.formula.name, equal, one)
        names = self.formula.names
        fixed = {name: np.float64(value) for name, value in binding.fixed.items() if name in names}
        have = self.conveys(binding)
        optional = {p.name for p in self.formula.parameters if not p.required} - have
        found = [{n: v for n, v in given.items() if n not in optional} for given in found]
        return [{**self.defaults, **given, **fixed} for given in found]

    def disturbed(self, binding: Binding, given: Arrays, by: float) -> tuple[Tokens, Arrays] | None:
        """The same call with other numbers under its mask, and ``by`` more; ``None`` where it has none."""
        mask = self.formula.mask
        if self.adds(binding):
            return Tokens(self.formula, by - 2 * GARBAGE), given
        if mask is None or given.get(mask.name) is None or not binding.roles & {"mask", "padding"}:
            return None
        hides = [p.name for p in self.formula.parameters if self.formula.is_masked(p) and p.name in given]
        valid = np.asarray(given[mask.name], bool)
        return self, {**given, **{n: np.where(valid, given[n], given[n] - 7.5 + by) for n in hides}}

    @cached_property
    def answers(self) -> frozenset[str]:
        """Outputs by any of which an answer is known."""
        derived = {o.name for o in self.formula.outputs if o.derivative is not None}
        aside = {"ratio", "clipped", "kept", "keep", "count", "kl", "clipped_fraction", "nll", "log_odds"}
        rewards = {"chosen_rewards", "rejected_rewards"}
        found = {o.name for o in self.formula.outputs} - aside - rewards
        return frozenset(found - (derived - {"weights"}))


def _of_rows(binding: Binding, array: Any, like: Any) -> Any:
    """One number an answer; of a table of tokens its first column, if what is not there is 0."""
    if (
        array.ndim == 2
        and array.shape == (like.size, 3)
        and binding.roles & {"valid", "padding", "token_scores"}
    ):
        masked = binding.roles & {"valid", "padding"}
        return array if masked and array[:, 2].any() else array[:, 0]
    return array.reshape(like.shape) if array.size == like.size else array


def _default(p: Parameter) -> Any:
    """A default as a number or a word."""
    if p.default is None or p.default == "zeros":
        return None
    if p.kind == "choice":
        return p.default
    return np.float64(Fraction(p.default)) if p.kind == "number" else np.int64(int(Fraction(p.default)))
