"""Corrected sequences, V-trace and Retrace: rewards in time, with the ratios of two policies.

The formulas take a discount a step, 0 where an episode ends, and logarithms
of ratios. Functions have a γ and flags as well as discounts, and ratios or
two log-probabilities: all that is made here, and laid out as of ``sequence``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families import sequence, sequence_trials
from rlcalc.conform.binding.families.base import Arrays, Family, Unfit, unlike
from rlcalc.conform.binding.families.samples import LARGEST_LOG
from rlcalc.conform.binding.families.sequence import ENDINGS
from rlcalc.conform.binding.model import Binding
from rlcalc.specs import Formula, load_formula

RATIOS = frozenset({"log_rhos", "rhos", "new_log", "old_log", "new_probs", "old_probs"})
VALUES = frozenset({"values", "last_value", "next_values", "critic"})


class OffPolicy(Family):
    """The formulas of rewards in time that another policy got."""

    def __init__(self, formula: str) -> None:
        self.formula = load_formula(formula)
        self.own = self.formula.names
        self.required = frozenset(p.name for p in self.formula.parameters if p.required)

    restore = staticmethod(sequence.restore)

    def arrange(self, binding: Binding, given: Mapping[str, Any]) -> Arrays:
        """Values by place; raises ``Unfit``."""
        return sequence.arrange(binding, self._in_roles(binding, given))

    def _in_roles(self, binding: Binding, given: Mapping[str, Any]) -> Arrays:
        """The formula's arguments with all that functions have in their place."""
        discounts = np.broadcast_to(given["discounts"], given["rewards"].shape)
        ended = discounts == 0
        if ended.any() and not binding.roles & (ENDINGS | {"discounts"}):
            raise Unfit("no place for the end of an episode")
        some = np.unique(discounts[~ended])
        gamma = some[0] if some.size == 1 else discounts
        if not some.size:
            gamma = np.asarray(binding.fixed.get("gamma", 0.5))
        if "gamma" in binding.fixed and (np.ndim(gamma) or abs(float(gamma) - binding.fixed["gamma"]) > 1e-6):
            raise Unfit(f"its gamma is fixed at {binding.fixed['gamma']:g}")
        return {**given, "gamma": gamma, "terminated": ended, **self._ratios(binding, given)}

    def _ratios(self, binding: Binding, given: Mapping[str, Any]) -> Arrays:
        """Ratios of every step, and log-probabilities that have them."""
        logs = np.asarray(given["log_rhos"])
        lacks = given["rewards"].shape[-1] - logs.shape[-1]
        # of a first step that is corrected by no ratio of its own
        logs = np.concatenate([np.full((*logs.shape[:-1], lacks), 0.25, logs.dtype), logs], -1)
        if not binding.roles & RATIOS <= {"log_rhos"} and (np.abs(logs) > LARGEST_LOG).any():
            raise Unfit("ratios beyond exp(±20) are not made of log-probabilities")
        # eighths that differ from step to step
        before = (-0.5 - np.arange(logs.size).reshape(logs.shape) % 5 / 8).astype(logs.dtype)
        with np.errstate(over="ignore"):
            made = {"log_rhos": logs, "rhos": np.exp(logs), "old_log": before, "new_log": before + logs}
        half = np.full_like(logs, 0.5)  # so that the ratio of both is the ratio itself
        return {**made, "old_probs": half, "new_probs": half * made["rhos"]}

    def variations(self, binding: Binding, backends: tuple[str, ...], lists_first: bool) -> Iterator[Binding]:
        """Layouts to try, the likeliest first."""
        return sequence_trials.variations(binding, backends, lists_first)

    def conveys(self, binding: Binding) -> frozenset[str]:
        """The formula's own parameters that a binding has a place for."""
        roles = binding.roles | binding.fixed.keys()
        made = {"log_rhos": RATIOS, "values": VALUES, "discounts": {"discounts", "gamma"}}
        return self.own & (roles | {name for name, ways in made.items() if roles & ways})

    def core(self, formula: Formula) -> frozenset[str]:
        """Roles without which nothing can be computed; a γ may stand in the body."""
        return self.required - {"discounts"} | {"gamma"}

    def probes(self, binding: Binding) -> list[Arrays]:
        """Arguments that tell readings apart: those of a sequence, and ratios on both sides of the bounds."""
        found = []
        for number, plain in enumerate(sequence_trials.probes(binding)):
            like = plain["rewards"]
            ended = np.zeros(like.shape) if plain["terminated"] is None else plain["terminated"]
            own = {
                name: unlike(like.shape, 13 + 7 * number + k) / 2
                for k, name in enumerate(("q", "expected_q"))
            }
            logs = unlike(like.shape, 3 + 5 * number) / 8
            given = {
                **plain,
                **own,
                "discounts": plain["gamma"] * (1 - ended),
                "log_rhos": logs[..., 1:] if "q" in self.own else logs,
                "rho_bar": np.float64(1.5 - number % 2 / 4),
                "c_bar": np.float64(1.25 - number % 2 / 2),
                "rho_bar_pg": np.float64(1.125 + number % 2 / 4),
            }
            lacking = self.own - self.conveys(binding) - self.required
            defaults = {p.name for p in self.formula.parameters if p.default is not None}
            given = {**given, **dict.fromkeys(lacking)}
            left = self.own - (lacking & defaults)  # of those the formula has numbers of its own
            found.append({name: value for name, value in given.items() if name in left})
        return found
