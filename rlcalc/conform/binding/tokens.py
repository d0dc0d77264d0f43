"""Formulas of language-model training: tables of tokens with their masks, answers of a batch, pairs, logits.

A trainer's function takes ``[N, T]`` and a mask. Where the formula has no mask
of its own, columns that are not there are put in, with numbers that must not
count: a function that looks at them is seen. What a function has in its body
(``k1``, a mean over answers) is a convention, not part of the binding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.sequence import Unfit
from rlcalc.conform.binding.token_probes import probes_of
from rlcalc.specs import Formula, Parameter

Arrays = dict[str, Any]
# columns that are not there, and what stands in them
ABSENT, GARBAGE = 2, 3.0
# an index that is too large for a dual clip to act
NEVER = 1e30
LARGEST_LOG = 20.0
# inputs whose numbers have no column of their own to mask
ALIGNED_ONE = "[1, K-1, V]"
ROWS, ALIGNED, FLAT, ONE_COLUMN, TABLES, BATCH = (
    "[N]",
    "[..., K-1, V]",
    "[N * (K-1), V]",
    "[K, 1], one advantage a row",
    "[P, G]",
    "[N, K]",
)
AS_ITS_OWN = "[...]"
# what a function of these formulas has no use for, or takes as a switch
PLAIN: Mapping[str, Any] = {"none": None, "on": True, "off": False, "zero": 0.0, "device": "cpu"}
MASKS = ("mask", "valid", "padding", "attended", "loss_mask")
# numbers that may stand in a body, of each formula
IN_BODY = {
    "policy_clip": ("eps_low",),
    "token_gae": ("gamma", "lam"),
    "value_clip_loss": ("eps",),
    "dpo_loss": ("beta",),
    "ipo_loss": ("beta",),
    "orpo_loss": ("beta",),
}


class Tokens:
    """How the arguments of one of these formulas are handed over."""

    def __init__(self, formula: Formula, garbage: float = GARBAGE) -> None:
        self.formula, self.garbage = formula, garbage

    @cached_property
    def main(self) -> Parameter:
        """The table that others are like."""
        tables = [p for p in self.formula.parameters if p.shape and p.kind in ("number", "integer")]
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
        call = _Call(self, binding, whole)
        return {path: call.value(role) for path, role in binding.meant.items()}

    def restore(self, binding: Binding, array: Any, given: Mapping[str, Any]) -> Any:
        """An output in the formula's layout; columns that were not there are taken away."""
        like = np.asarray(given[self.main.name])
        if not array.ndim:
            return array
        tokens = like.shape[-1 if self.main.shape[-1] != "V" else -2]
        if self.main.shape == ("N",):
            return _of_rows(binding, array, like)
        if self.adds(binding) and binding.layout == ONE_COLUMN:
            array = array[..., 0] if array.shape[-1:] == (1 + ABSENT,) else array
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
        forms = [("array", layout) for layout in self.layouts(roles)]
        if self.main.shape == ("N",):
            forms.append(("list", ROWS))
        if lists_first:
            forms.reverse()
        for backend, (form, layout), flag in product(backends, forms, flags):
            changes: Arrays = {"backend": backend, "layout": layout, "form": form, "flags": flag}
            yield replace(binding, **changes)

    def layouts(self, roles: frozenset[str]) -> tuple[str, ...]:
        """Layouts of arrays, the likeliest first."""
        if self.formula.name == "token_logprobs":
            return (AS_ITS_OWN, ALIGNED, "[1, K, V]", ALIGNED_ONE)
        if self.formula.name == "sft_loss":
            return (AS_ITS_OWN, ALIGNED, FLAT)
        if self.formula.name == "token_entropy":
            return (AS_ITS_OWN, "[1, K, V]")
        if "groups" in {p.name for p in self.formula.parameters} and self.main.shape == ("N",):
            return (ROWS,) if roles & {"groups", "group_size", "token_scores"} else (TABLES, ROWS)
        if self.main.shape == ("K",):
            return (AS_ITS_OWN, BATCH, *([ONE_COLUMN] if "adv" in roles else []))
        return (AS_ITS_OWN,)

    def conveys(self, binding: Binding) -> frozenset[str]:
        """Parameters of the formula that the binding has a place for."""
        own = {p.name for p in self.formula.parameters}
        found = set(binding.roles & own) | set(binding.fixed)
        for role in binding.roles:
            found |= set(_STANDS_FOR.get(role, ()))
        if self.main.shape == ("N",) and "groups" in own:
            found.add("groups")
        found.add("eps_high")  # a call with two widths is refused where there is a place for one
        return frozenset(found & own)

    def single(self, binding: Binding) -> frozenset[str]:
        return frozenset()

    def core(self, formula: Formula) -> frozenset[str]:
        return frozenset(p.name for p in formula.parameters if p.required and p.shape and p.name != "groups")

    def fixed(self, binding: Binding, numbers: tuple[float, ...]) -> list[dict[str, float]]:
        """Numbers that may stand in the body, the formula's own defaults first."""
        names = IN_BODY.get(self.formula.name, ())
        lacking = [n for n in names if n not in self.conveys(binding)]
        ways = [{n: None for n in lacking}]
        for name in lacking:
            own = self.defaults[name]
            others = [x for x in numbers if own is None or float(own) != x][:4]
            ways += [{**{n: None for n in lacking}, name: x} for x in others]
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
        names = {p.name for p in self.formula.parameters}
        fixed = {name: np.float64(value) for name, value in binding.fixed.items() if name in names}
        have = self.conveys(binding)
        optional = {p.name for p in self.formula.parameters if not p.required} - have
        found = [{n: v for n, v in given.items() if n not in optional} for given in found]
        return [{**self.defaults, **given, **fixed} for given in found]

    def disturbed(self, binding: Binding, given: Arrays) -> tuple[Tokens, Arrays] | None:
        """The same call with other numbers under its mask; ``None`` where it has none."""
        mask = self.formula.mask
        if self.adds(binding):
            return Tokens(self.formula, -2 * GARBAGE), given
        if mask is None or given.get(mask.name) is None or not binding.roles & {"mask", "padding"}:
            return None
        hides = [p.name for p in self.formula.parameters if self.formula.is_masked(p) and p.name in given]
        valid = np.asarray(given[mask.name], bool)
        return self, {**given, **{n: np.where(valid, given[n], given[n] - 7.5) for n in hides}}

    @cached_property
    def answers(self) -> frozenset[str]:
        """Outputs by any of which an answer is known."""
        derived = {o.name for o in self.formula.outputs if o.derivative is not None}
        aside = {"ratio", "clipped", "kept", "keep", "count", "kl", "clipped_fraction", "nll", "log_odds"}
        rewards = {"chosen_rewards", "rejected_rewards"}
        found = {o.name for o in self.formula.outputs} - aside - rewards
        return frozenset(found - (derived - {"weights"}))


_STANDS_FOR: Mapping[str, tuple[str, ...]] = {
    "eps_both": ("eps_low",),
    "tokens_always": ("tokens",),
    **{f"{name}_always": (name,) for name in ("dual", "high", "low", "bootstrap", "margin")},
    "log_ratio": ("logp", "old_logp", "ref_logp"),
    "ratio": ("logp", "old_logp"),
    "padding": ("mask",),
    "valid": ("mask",),
    "group_size": ("groups",),
    "token_scores": ("rewards", "score"),
    "small": ("eps",),
    "unbiased": ("ddof",),
    "by_std": ("scale",),
    "input_ids": ("labels",),
    "gamma_ratio": ("gamma",),
    "chosen_average": ("chosen", "chosen_lengths"),
    "rejected_average": ("rejected", "rejected_lengths"),
    "halves": ("chosen", "rejected"),
    "loss_mask": ("labels",),
}


def derived_roles(formula: Formula) -> frozenset[str]:
    """Roles besides a formula's own parameters that it can play."""
    own = {p.name for p in formula.parameters}
    found = {
        "option",
        "device",
        "none",
        "on",
        "off",
        "zero",
        "reference_free",
        "ipo",
        "vocabulary",
        "ignored",
    }
    if formula.mask is None:
        found |= {"valid"}
    if "mode" not in own:
        found |= {"mode"}
    for role, parts in _STANDS_FOR.items():
        needed = {"score"} & own or set(parts) & own if role == "token_scores" else set(parts) & own
        if needed and not (role == "valid" and formula.mask is not None):
            found.add(role)
    return frozenset(found | {"padding", "attended", "loss_mask", "length"})


@dataclass
class _Call:
    """One call: values of roles from the formula's own arguments."""

    family: Tokens
    binding: Binding
    given: Mapping[str, Any]

    @cached_property
    def like(self) -> Any:
        return np.asarray(self.given[self.family.main.name])

    @cached_property
    def absent(self) -> bool:
        return self.family.adds(self.binding)

    @cached_property
    def mask(self) -> Any:
        """1 where something is, in the layout of the call."""
        formula = self.family.formula
        if formula.mask is not None:
            given = self.given.get(formula.mask.name)
            return np.ones(self.like.shape, bool) if given is None else np.asarray(given, bool)
        shape = self.like.shape
        if formula.name == "sft_loss":
            return np.asarray(self.given["labels"]) != -100
        shape = shape[:-1] if self.family.main.shape[-1] == "V" else shape
        rows = self.laid(np.ones(shape, self.like.dtype), hidden=0.0)
        found: Any = rows != 0
        return found

    def value(self, role: str) -> Any:
        if role in PLAIN:
            return PLAIN[role]
        maker: Callable[[_Call], Any] | None = _MADE.get(role)
        own = {p.name: p for p in self.family.formula.parameters}
        if role in own and not (role == "mode" and role not in own):
            return self.own(own[role])
        if maker is None:
            raise Unfit(f"nothing is known of the role {role}")
        return maker(self)

    def own(self, p: Parameter) -> Any:
        """A parameter of the formula."""
        value = self.given.get(p.name)
        if p.name == "groups" and self.family.main.shape == ("N",):
            return self.names_of_groups()
        if p.name == "eps_high" and value is None:
            value = self.given["eps_low"]
        if p.kind == "choice":
            return self.word(str(value))
        if p.kind == "flag" and p.shape:
            return self.flags(self.mask if p.masks else np.asarray(value, bool))
        if value is None or p.kind == "flag":
            return None if value is None else bool(value)
        if not p.shape:
            if np.ndim(value):
                raise Unfit(f"one {p.name} a call")
            return int(value) if p.kind == "integer" else float(value)
        array = np.asarray(value)
        if p.shape == self.family.main.shape or p.shape[-1] in ("V", "K"):
            return self.table(p, array)
        return self.listed(array)

    def word(self, choice: str) -> str:
        words = self.binding.words
        if words and choice not in words:
            raise Unfit(f"it has no word for {choice}")
        return words.get(choice, choice)

    def flags(self, mask: Any) -> Any:
        kinds = {"bool": bool, "float": self.like.dtype if self.like.dtype.kind == "f" else float, "int": int}
        return self.listed(mask.astype(kinds[self.binding.flags]))

    def listed(self, array: Any) -> Any:
        return array.tolist() if self.binding.form == "list" else array.copy()

    def table(self, p: Parameter, array: Any) -> Any:
        """A table like the main one."""
        layout = self.binding.layout
        if p.shape[0] == "N" and array.ndim > len(p.shape):
            raise Unfit("one batch a call")
        if p.shape[-1] == "V" or self.family.main.shape[-1] == "V":
            return self.shifted(p, array, layout)
        array = np.broadcast_to(array, np.broadcast_shapes(array.shape, self.like.shape))
        if p.shape == ("N",):
            return self.by_rows(array, layout)
        if layout == ONE_COLUMN and p.name == "adv":
            return array.reshape(-1).copy()
        return self.laid(array)

    def laid(self, array: Any, hidden: float | None = None) -> Any:
        """A table of tokens, with columns that are not there where it has some."""
        layout = self.binding.layout
        if layout == ONE_COLUMN:
            array = array.reshape(-1, 1)
        elif layout == BATCH:
            array = array.reshape(-1, array.shape[-1])
        elif layout.startswith("[1,"):
            array = array[None]
        if not self.absent:
            return array.copy()
        width = [(0, 0)] * (array.ndim - 1) + [(0, ABSENT)]
        filler = self.family.garbage if hidden is None else hidden
        return np.pad(array, width, constant_values=filler)

    def shifted(self, p: Parameter, array: Any, layout: str) -> Any:
        """Logits and the tokens that they predict."""
        tokens = array if p.shape[-1] != "V" else array[..., 0]
        if p.shape[0] == "K" and layout.startswith("[1,"):
            if tokens.ndim > 1:
                raise Unfit("one sequence a call")
            array = array[None]
        if layout in (ALIGNED, FLAT, ALIGNED_ONE):
            if p.shape[-1] == "V":
                array = array[..., :-1, :]
            else:
                array = array[..., 1:]
        if layout == FLAT:
            array = array.reshape(-1, array.shape[-1]) if p.shape[-1] == "V" else array.reshape(-1)
        if self.absent and p.shape[-1] == "V":
            width = [(0, 0)] * (array.ndim - 2) + [(0, ABSENT), (0, 0)]
            array = np.concatenate(
                [array, np.pad(array[..., :1, :], width)[..., 1:, :] + self.steps(array)], -2
            )
        return self.listed(array)

    def steps(self, array: Any) -> Any:
        """Numbers that differ from entry to entry of the last axis: logits that are all alike say too little."""
        return self.family.garbage * np.arange(array.shape[-1], dtype=array.dtype)

    def by_rows(self, array: Any, layout: str) -> Any:
        """One number an answer; of groups, a table with one a row."""
        if self.binding.form == "list":
            return array.tolist()
        return array[self.order].reshape(self.tables) if layout == TABLES else array.copy()

    # groups

    @cached_property
    def members(self) -> list[list[int]]:
        names = np.asarray(self.given["groups"]).tolist()
        return [[k for k, name in enumerate(names) if name == one] for one in dict.fromkeys(names)]

    @cached_property
    def tables(self) -> tuple[int, int]:
        """Groups and answers a group, where all groups are alike and stand one after the other."""
        sizes = {len(group) for group in self.members}
        if len(sizes) > 1:
            raise Unfit("groups of one size only")
        return len(self.members), sizes.pop()

    @property
    def order(self) -> Any:
        places = [k for group in self.members for k in group]
        if places != sorted(places):
            raise Unfit("groups one after the other only")
        return np.asarray(places)

    def names_of_groups(self) -> Any:
        names = np.asarray(self.given["groups"])
        if self.binding.flags == "bool" and self.binding.form != "list":
            return names.copy()
        return (
            names.tolist() if self.binding.flags != "float" else [f"group-{name}" for name in names.tolist()]
        )

    def group_size(self) -> int:
        size: int = self.tables[1]
        assert self.order is not None
        return size

    def token_scores(self) -> Any:
        """The one number of an answer at its last token of two, with a token that is not there behind."""
        name = "score" if "score" in self.given else "rewards"
        flat = np.asarray(self.given[name])
        found = np.zeros((flat.size, 3), flat.dtype)
        found[:, 1] = flat
        return found

    def mask_of_answers(self) -> Any:
        rows = np.ones((self.like.size, 3), bool)
        rows[:, 2] = False
        return self.flags(rows)

    # what others are made of

    def logs(self) -> tuple[Any, Any]:
        names = {p.name for p in self.family.formula.parameters}
        before = next(n for n in ("old_logp", "ref_logp", "prox_logp") if n in names)
        return np.asarray(self.given["logp"]), np.asarray(self.given[before])

    def log_ratio(self) -> Any:
        new, old = self.logs()
        return self.laid(new - old)

    def ratio(self) -> Any:
        new, old = self.logs()
        if (np.abs(new - old) > LARGEST_LOG).any():
            raise Unfit("ratios beyond exp(±20)")
        return self.laid(np.exp(new - old))

    def both(self) -> float:
        """One width for both sides."""
        return float(self.given["eps_low"])

    def never(self, name: str, bound: float) -> float:
        """A bound that never acts where there is none."""
        value = self.given.get(name)
        return bound if value is None else float(value)

    def no_margin(self) -> Any:
        given = self.given.get("margin")
        return np.zeros_like(self.like) if given is None else np.asarray(given)

    def nothing_after(self) -> Any:
        value = self.given.get("bootstrap")
        return np.zeros(len(self.like), self.like.dtype) if value is None else np.asarray(value)

    def small(self) -> float:
        """An ε against a division by 0, which is none where there is such a division."""
        eps = float(self.given["eps"])
        if not eps and self.divides_by_zero():
            raise Unfit("an eps of 0 for equal numbers")
        return eps

    def divides_by_zero(self) -> bool:
        numbers = self.like.astype(np.float64)
        if self.family.main.shape == ("N",):
            parts = [numbers[group] for group in self.members]
        else:
            parts = [numbers[self.mask]]
        return any(part.size == 0 or part.max() == part.min() for part in parts)

    def ids(self) -> Any:
        """Labels with tokens in the place of −100."""
        labels = np.asarray(self.given["labels"])
        return self.family_table("labels", np.where(labels < 0, 1, labels))

    def learned(self) -> Any:
        labels = np.asarray(self.given["labels"]) >= 0
        found = self.family_table("labels", labels)
        kinds = {"bool": bool, "float": self.like.dtype, "int": int}
        return found.astype(kinds[self.binding.flags])

    def family_table(self, name: str, array: Any) -> Any:
        return self.shifted(self.family.formula.parameter(name), array, self.binding.layout)

    def valid(self) -> Any:
        if self.family.formula.name == "token_logprobs":
            ids = np.ones(np.asarray(self.given["ids"]).shape, bool)
            return self.flags(self.family_table("ids", ids))
        return self.mask_of_answers() if self.family.main.shape == ("N",) else self.flags(self.mask)

    def attended(self) -> Any:
        """What the model sees: up to the last valid token of a row."""
        mask = self.mask
        return self.flags(np.flip(np.cumsum(np.flip(mask, -1), -1), -1) > 0)

    def tokens(self) -> int:
        given = self.given.get("tokens")
        return int(self.mask.sum()) if given is None else int(given)

    def average(self, name: str) -> Any:
        return np.asarray(self.given[name]) / np.asarray(self.given[f"{name}_lengths"])

    def by_std(self) -> bool:
        if str(self.given["scale"]) not in ("group", "none"):
            raise Unfit(f"it has no scale {self.given['scale']}")
        return str(self.given["scale"]) == "group"


_MADE: Mapping[str, Callable[[_Call], Any]] = {
    "valid": _Call.valid,
    "padding": lambda call: ~np.asarray(call.valid(), bool),
    "attended": _Call.attended,
    "eps_both": _Call.both,
    "dual_always": lambda call: call.never("dual", NEVER),
    "high_always": lambda call: call.never("high", NEVER),
    "low_always": lambda call: call.never("low", 0.0),
    "bootstrap_always": _Call.nothing_after,
    "log_ratio": _Call.log_ratio,
    "ratio": _Call.ratio,
    "small": _Call.small,
    "group_size": _Call.group_size,
    "token_scores": _Call.token_scores,
    "input_ids": _Call.ids,
    "loss_mask": _Call.learned,
    "vocabulary": lambda call: int(call.like.shape[-1]),
    "ignored": lambda call: -100,
    "reference_free": lambda call: False,
    "ipo": lambda call: False,
    "tokens_always": _Call.tokens,
    "unbiased": lambda call: bool(int(call.given["ddof"])),
    "by_std": _Call.by_std,
    "gamma_ratio": lambda call: float(call.given["gamma"]) / float(call.given["beta"]),
    "chosen_average": lambda call: call.average("chosen"),
    "rejected_average": lambda call: call.average("rejected"),
    "margin_always": lambda call: call.listed(call.no_margin()),
    "halves": lambda call: np.concatenate([np.asarray(call.given[n]) for n in ("chosen", "rejected")]),
    "length": lambda call: int(call.like.shape[-1]),
    "mode": lambda call: call.word("token-mean"),
}


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
