"""The family of each formula, and the values of a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families import sequence, sequence_trials
from rlcalc.conform.binding.families.base import Family, Unfit
from rlcalc.conform.binding.families.named import Named
from rlcalc.conform.binding.families.off_policy import OffPolicy
from rlcalc.conform.binding.families.processes import Processes
from rlcalc.conform.binding.families.samples import Distributions, Groups, Samples
from rlcalc.conform.binding.families.tokens import Tokens
from rlcalc.conform.binding.families.transitions import Transitions
from rlcalc.conform.binding.families.updates import Updates
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.binding.words.names import (
    KEPT_BY_AGENTS,
    OFF_POLICY,
    PROCESSES,
    TRANSITIONS,
    UPDATES,
    family,
    of_tokens,
    table,
)
from rlcalc.conform.target.policies import (
    BATCH,
    EXPONENTIATED,
    TAKEN,
    TWICE,
    actions_of_two,
    is_policy,
    parts_of,
)
from rlcalc.specs import Formula

# of probabilities whose logarithms are asked for, in single precision as well
LARGEST_LOG, LEAST_LOG = 15.0, 1e-2
# ... and of densities
LARGEST_DENSITY = 30.0


class Sequence:
    """The formulas of rewards in time."""

    arrange = staticmethod(sequence.arrange)
    restore = staticmethod(sequence.restore)
    variations = staticmethod(sequence_trials.variations)
    conveys = staticmethod(sequence_trials.conveys)
    probes = staticmethod(sequence_trials.probes)

    @staticmethod
    def single(binding: Binding) -> frozenset[str]:
        # a discount per step is passed on only where it has a place of its own
        return frozenset() if "discounts" in binding.roles else frozenset({"gamma"})

    @staticmethod
    def core(formula: Formula) -> frozenset[str]:
        wanted = {
            "gae": {"rewards", "values", "gamma", "lam"},
            "lambda_return": {"rewards", "gamma", "lam"},
            "n_step_return": {"rewards", "gamma", "n"},
        }
        return frozenset(wanted.get(formula.name, {"rewards", "gamma"}))


def family_of(formula: Formula) -> Family | None:
    """``None`` for a formula whose functions are called by its own names only."""
    if family(formula.name) == "sequence":
        return Sequence()
    if formula.name in ("ppo_clip", "ratio", "critic_loss"):
        return Samples(formula.name)
    if of_tokens(formula.name):
        return Tokens(formula)
    if formula.name in ("kl", "entropy"):
        return Distributions(formula.name)
    if formula.name in TRANSITIONS:
        return Transitions(formula.name)
    if formula.name in OFF_POLICY:
        return OffPolicy(formula.name)
    if formula.name in PROCESSES:
        return Processes(formula)
    if formula.name in (*UPDATES, *KEPT_BY_AGENTS):
        return Updates(formula)
    if formula.name == "grpo_advantage":
        return Groups()
    return Named(formula.name) if table(formula.name) else None


def laid_out(family: Family, binding: Binding, given: Mapping[str, Any]) -> dict[str, Any]:
    """All values of a call by place; raises ``Unfit``."""
    found = {**family.arrange(binding, given), **binding.constants}
    for path in filter(is_policy, found):
        (kinds, flags), logs = parts_of(path), np.asarray(found[path], float)
        if BATCH in flags and (logs.ndim != 1 or len(logs) < 2 or (logs == 0).any()):
            raise Unfit("one step is no batch")
        if TWICE in flags and not actions_of_two(logs):
            raise Unfit("no softmax of probabilities gives such numbers")
        if "mean" in kinds and (np.abs(logs) > LARGEST_DENSITY).any():
            raise Unfit("densities so near to 0, or so large, need a scale of their own")
        if "mean" in kinds or (TAKEN in kinds and EXPONENTIATED not in flags):
            continue
        if (logs > 0).any():
            raise Unfit("log-probabilities above 0 are those of no action")
        some = logs[logs != 0]  # what is certain stays so
        if some.size and not (-LARGEST_LOG < some.min() <= some.max() < -LEAST_LOG):
            raise Unfit("probabilities so near to 0, or to 1, lose their logarithm")
        if "probs" in kinds and (logs == 0).any():
            raise Unfit("a certain action: some keep probabilities away from 1")
    return found
