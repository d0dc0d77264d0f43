"""Values of one call of a formula of language-model training, by what each place of a function means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families import answer_tables
from rlcalc.conform.binding.families import token_layouts as layouts
from rlcalc.conform.binding.families.base import PLAIN, Unfit, flagged, listed
from rlcalc.conform.binding.families.token_groups import Groups
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.words.token_roles import NEVER, NO_BOUND, WEIGHTS
from rlcalc.specs import Formula, Parameter

# columns that are not there, and what stands in them
ABSENT, GARBAGE = 2, 3.0
LARGEST_LOG = 20.0
# in the place of a mask of columns that are not there: one that hides nothing
EVERYWHERE = "nothing masked"
MASKS = ("mask", "valid", "padding", "attended", "loss_mask")


@dataclass
class Call:
    """One call: values of roles from the formula's own arguments."""

    formula: Formula
    main: Parameter
    binding: Binding
    given: Mapping[str, Any]
    absent: bool
    garbage: float

    @cached_property
    def like(self) -> Any:
        return np.asarray(self.given[self.main.name])

    @cached_property
    def mask(self) -> Any:
        """1 where something is, in the layout of the call."""
        formula = self.formula
        if formula.mask is not None:
            given = self.given.get(formula.mask.name)
            return np.ones(self.like.shape, bool) if given is None else np.asarray(given, bool)
        shape = self.like.shape
        if formula.name == "sft_loss":
            return np.asarray(self.given["labels"]) != -100
        shape = shape[:-1] if self.main.shape[-1] == "V" else shape
        rows = self.laid(np.ones(shape, self.like.dtype), hidden=0.0)
        found: Any = rows != 0
        return found

    def value(self, role: str) -> Any:
        if role in PLAIN:
            return PLAIN[role]
        maker: Callable[[Call], Any] | None = _MADE.get(role)
        own = {p.name: p for p in self.formula.parameters}
        if role not in own and maker is None:
            raise Unfit(f"nothing is known of the role {role}")
        found = self.own(own[role]) if role in own else maker(self)  # type: ignore[misc]
        plain = self.binding.form == "list" and isinstance(found, np.ndarray) and not found.ndim
        return found.item() if plain else found

    def own(self, p: Parameter) -> Any:
        """A parameter of the formula."""
        value = self.given.get(p.name)
        if p.name == "groups" and self.main.shape == ("N",):
            return self.names_of_groups()
        if p.name == "eps_high" and value is None:
            value = self.given["eps_low"]
        if p.kind == "choice":
            return self.word(str(value))
        if p.kind == "flag" and p.shape:
            if "answer_logits" in self.binding.roles and self.binding.layout == layouts.AS_ITS_OWN:
                return self.flags(answer_tables.one_before(self.mask, False))
            return self.flags(self.mask if p.masks else np.asarray(value, bool))
        if value is None or p.kind == "flag":
            return None if value is None else bool(value)
        if not p.shape:
            if np.ndim(value):
                raise Unfit(f"one {p.name} a call")
            one = int(value) if p.kind == "integer" else float(value)
            several = self.binding.layout == layouts.OF_ONE and p.name in layouts.IN_LISTS.get(
                self.formula.name, ()
            )
            return self.listed(np.array([one])) if several else one
        array = np.asarray(value)
        if p.shape == self.main.shape or p.shape[-1] in ("V", "K"):
            return self.table(p, array)
        if p.name == "adv" and self.binding.layout in (layouts.ADV_COLUMN, layouts.ADV_TOKENS):
            columns = 1 if self.binding.layout == layouts.ADV_COLUMN else self.like.shape[-1]
            return np.repeat(array[..., None], columns, -1)
        if self.binding.layout == layouts.COLUMN_AN_ANSWER and p.shape == ("N",):
            return array[..., None].copy()
        return self.listed(array)

    def word(self, choice: str) -> str:
        words = self.binding.words
        if words and choice not in words:
            raise Unfit(f"it has no word for {choice}")
        return words.get(choice, choice)

    def flags(self, mask: Any) -> Any:
        kind = self.like.dtype if self.like.dtype.kind == "f" else float
        return self.listed(flagged(self.binding, mask, kind))

    def listed(self, array: Any) -> Any:
        return listed(self.binding, array)

    def table(self, p: Parameter, array: Any) -> Any:
        """A table like the main one."""
        layout = self.binding.layout
        if p.shape[0] == "N" and array.ndim > len(p.shape):
            raise Unfit("one batch a call")
        if p.shape[-1] == "V" or self.main.shape[-1] == "V":
            return self.shifted(p, array, layout)
        array = np.broadcast_to(array, np.broadcast_shapes(array.shape, self.like.shape))
        if p.shape == ("N",):
            return self.by_rows(array, layout)
        if layout == layouts.ONE_COLUMN and p.name == "adv":
            return array.reshape(-1).copy()
        return self.laid(array)

    def laid(self, array: Any, hidden: float | None = None) -> Any:
        """A table of tokens, with columns that are not there where it has some."""
        layout = self.binding.layout
        if layout == layouts.ONE_COLUMN:
            array = array.reshape(-1, 1)
        elif layout in (layouts.BATCH, layouts.ADV_ROWS):
            array = array.reshape(-1, array.shape[-1])
        elif layout == layouts.SAMPLES:
            array = array.reshape(-1)
        elif layout.startswith("[1,"):
            array = array[None]
        if not self.absent:
            return array.copy()
        width = [(0, 0)] * (array.ndim - 1) + [(0, ABSENT)]
        filler = self.garbage if hidden is None else hidden
        return np.pad(array, width, constant_values=filler)

    def shifted(self, p: Parameter, array: Any, layout: str) -> Any:
        """Logits and the tokens that they predict."""
        tokens = array if p.shape[-1] != "V" else array[..., 0]
        if p.shape[0] == "K" and layout.startswith("[1,"):
            if tokens.ndim > 1:
                raise Unfit("one sequence a call")
            array = array[None]
        if layout in layouts.SHIFTED:
            array = array[..., :-1, :] if p.shape[-1] == "V" else array[..., 1:]
        if layout == layouts.FLAT:
            array = array.reshape(-1, array.shape[-1]) if p.shape[-1] == "V" else array.reshape(-1)
        if self.absent and p.shape[-1] == "V":
            width = [(0, 0)] * (array.ndim - 2) + [(0, ABSENT), (0, 0)]
            array = np.concatenate(
                [array, np.pad(array[..., :1, :], width)[..., 1:, :] + self.steps(array)], -2
            )
        return self.listed(array)

    def steps(self, array: Any) -> Any:
        """Numbers that differ along the last axis: logits that are all alike say too little."""
        return self.garbage * np.arange(array.shape[-1], dtype=array.dtype)

    def by_rows(self, array: Any, layout: str) -> Any:
        """One number an answer; of groups, a table with one a row."""
        if self.binding.form == "list":
            return array.tolist()
        if layout == layouts.COLUMNS:
            return array[self.groups.order].reshape(self.groups.tables).T.copy()
        return (
            array[self.groups.order].reshape(self.groups.tables) if layout == layouts.TABLES else array.copy()
        )

    # groups

    @cached_property
    def groups(self) -> Groups:
        return Groups(np.asarray(self.given["groups"]).tolist())

    def names_of_groups(self) -> Any:
        names = np.asarray(self.given["groups"])
        if names.ndim > 1:
            raise Unfit("one batch a call")
        if self.binding.flags == "bool" and self.binding.form != "list":
            return names.copy()
        return (
            names.tolist() if self.binding.flags != "float" else [f"group-{name}" for name in names.tolist()]
        )

    def token_scores(self) -> Any:
        """The one number of an answer at its last token of two, with a token that is not there after it."""
        name = "score" if "score" in self.given else "rewards"
        flat = np.asarray(self.given[name])
        if flat.ndim > 1:
            raise Unfit("one batch a call")
        found = np.zeros((flat.size, 3), flat.dtype)
        found[:, 1] = flat
        return found

    def mask_of_answers(self) -> Any:
        rows = np.ones((self.like.size, 3), bool)
        rows[:, 2] = False
        return self.flags(rows)

    # what others are made of

    def logs(self) -> tuple[Any, Any]:
        names = self.formula.names
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

    def both_widths(self) -> float:
        """One width for a lower and an upper bound around 1."""
        low, high = self.given.get("low"), self.given.get("high")
        if low is None or high is None or not np.isclose(1 - low, high - 1, rtol=0, atol=1e-12):
            raise Unfit("one width for both sides")
        return float(high) - 1

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
        if self.main.shape == ("N",):
            parts = [numbers[group] for group in self.groups.members]
        else:
            parts = [numbers[self.mask]]
        return any(part.size == 0 or part.max() == part.min() for part in parts)

    def ids(self) -> Any:
        """Labels with tokens in the place of −100."""
        labels = np.asarray(self.given["labels"])
        return self.shifted_table("labels", np.where(labels < 0, 1, labels))

    def learned(self) -> Any:
        labels = np.asarray(self.given["labels"]) >= 0
        return flagged(self.binding, self.shifted_table("labels", labels), self.like.dtype)

    def shifted_table(self, name: str, array: Any) -> Any:
        return self.shifted(self.formula.parameter(name), array, self.binding.layout)

    def valid(self) -> Any:
        if self.formula.name == "token_logprobs":
            ids = np.ones(np.asarray(self.given["ids"]).shape, bool)
            return self.flags(self.shifted_table("ids", ids))
        return self.mask_of_answers() if self.main.shape == ("N",) else self.flags(self.mask)

    def attended(self) -> Any:
        """What the model sees: up to the last valid token of a row."""
        mask = self.mask
        return self.flags(np.flip(np.cumsum(np.flip(mask, -1), -1), -1) > 0)

    def tokens(self) -> int:
        given = self.given.get("tokens")
        return int(self.mask.sum()) if given is None else int(given)

    def lengths(self, name: str) -> Any:
        """Of sums that stay what they are: 1."""
        given = self.given.get(name)
        return self.listed(np.ones(self.like.shape, np.int64) if given is None else np.asarray(given))

    def answer_logits(self) -> Any:
        found = answer_tables.logits(self.like, self.mask)
        return answer_tables.one_after(found) if self.binding.layout == layouts.AS_ITS_OWN else found

    def answer_labels(self) -> Any:
        """Tokens; what a mask does not hide is marked by −100."""
        beside = self.binding.roles & {"mask", "padding"}
        found = answer_tables.labels(self.like.shape) if beside else answer_tables.marked_labels(self.mask)
        return answer_tables.one_before(found, 0) if self.binding.layout == layouts.AS_ITS_OWN else found

    def gap(self, one: str, other: str) -> Any:
        return self.listed(self.one_batch(one) - self.one_batch(other))

    def one_batch(self, name: str) -> Any:
        array = np.asarray(self.given[name])
        if array.ndim > 1:
            raise Unfit("one batch a call")
        return array

    def of_kind(self, name: str, good: bool) -> Any:
        """Of answers that are judged one by one those of one kind, to be paired with the others."""
        kinds = np.asarray(self.given["desirable"], bool)
        if 2 * kinds.sum() != kinds.size:
            raise Unfit("as many answers of one kind as of the other")
        return self.listed(self.one_batch(name)[kinds == good])

    def nothing(self) -> Any:
        """0 for every token."""
        return self.laid(np.zeros_like(self.like[..., 0] if self.main.shape[-1] == "V" else self.like))

    def no_advantages(self) -> Any:
        return self.nothing()[:, 0].copy() if self.binding.layout == layouts.ADV_ROWS else self.nothing()

    def average(self, name: str) -> Any:
        return self.one_batch(name) / self.one_batch(f"{name}_lengths")

    def by_std(self) -> bool:
        if str(self.given["scale"]) not in ("group", "none"):
            raise Unfit(f"it has no scale {self.given['scale']}")
        return str(self.given["scale"]) == "group"


_MADE: Mapping[str, Callable[[Call], Any]] = {
    "answer_logits": Call.answer_logits,
    "pair_gap": lambda call: call.gap("chosen", "rejected"),
    "ref_gap": lambda call: call.gap("ref_chosen", "ref_rejected"),
    "answer_labels": Call.answer_labels,
    "valid": Call.valid,
    "padding": lambda call: ~np.asarray(call.valid(), bool),
    EVERYWHERE: lambda call: call.flags(call.mask),
    "attended": Call.attended,
    "eps_both": Call.both,
    **{f"{name}_always": partial(Call.never, name=name, bound=bound) for name, bound in NO_BOUND.items()},
    "low_width": lambda call: 1 - call.never("low", 0.0),
    "high_width": lambda call: call.never("high", NEVER) - 1,
    "both_widths": Call.both_widths,
    "chosen_lengths_always": partial(Call.lengths, name="chosen_lengths"),
    "rejected_lengths_always": partial(Call.lengths, name="rejected_lengths"),
    "divisor_always": lambda call: int(call.never("divisor", call.like.shape[-1])),
    "bootstrap_always": Call.nothing_after,
    "log_ratio": Call.log_ratio,
    "ratio": Call.ratio,
    "small": Call.small,
    "group_size": lambda call: call.groups.size,
    "token_scores": Call.token_scores,
    "input_ids": Call.ids,
    "loss_mask": Call.learned,
    "vocabulary": lambda call: int(call.like.shape[-1]),
    "ignored": lambda call: -100,
    "reference_free": lambda call: False,
    "ipo": lambda call: False,
    "tokens_always": Call.tokens,
    "unbiased": lambda call: bool(int(call.given["ddof"])),
    "by_std": Call.by_std,
    "gamma_ratio": lambda call: float(call.given["gamma"]) / float(call.given["beta"]),
    "chosen_average": lambda call: call.average("chosen"),
    "rejected_average": lambda call: call.average("rejected"),
    "chosen": lambda call: call.of_kind("logps", True),
    "rejected": lambda call: call.of_kind("logps", False),
    "ref_chosen": lambda call: call.of_kind("ref_logps", True),
    "ref_rejected": lambda call: call.of_kind("ref_logps", False),
    "chosen_nll": lambda call: -call.average("chosen"),
    "margin_always": lambda call: call.listed(call.no_margin()),
    "halves": lambda call: np.concatenate([np.atleast_1d(call.given[n]) for n in ("chosen", "rejected")]),
    "length": lambda call: int(call.like.shape[-1]),
    "mode": lambda call: call.word("token-mean"),
    "no_kl": lambda call: 0.0,
    "no_adv": Call.no_advantages,
    "same_logp": lambda call: call.own(call.formula.parameter("logp")),
    **dict.fromkeys(("zero", "no_term", *WEIGHTS), lambda call: 0.0),
    "no_values": Call.nothing,
    "no_width": lambda call: 0.5,
    "certain": lambda call: answer_tables.certain(call.laid(np.zeros_like(call.like))),
    "ref_logp": lambda call: call.own(call.formula.parameter("logp")),
}
