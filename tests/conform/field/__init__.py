"""Functions in the manner of those in public repositories, with what each of them really is."""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
# formulas that the names of the functions do not say
FORMULAS = {"advantage_from_deltas": "gae", "TorchAC.collect": "gae", "Helper.compute": "gae"}
FORMULAS |= {"FaultyBuffer.compute": "gae", "actor_loss": "ppo_clip"}

# functions of people who did not know what rlcalc looks for, by their formula, which is typed
HOLD_OUT = {
    "gae": """
        compute_advantages estimate_gae gae_masks Buffer.finish gae_shift gae_lam_only gae_trace
        gae_smoothed advantage_estimates gae_swapped_factors
    """,
    "discounted_return": """
        rewards_to_go calc_returns_with_dones returns_wrong reward_sums discounted_tail
        returns_with_late_flags
    """,
    "ppo_clip": """
        surrogate pg_loss_per_token clip_loss_signs no_min ppo_policy_loss clipped_objective
        ppo_max_instead
    """,
    "critic_loss": """
        vf_loss value_loss_mse value_loss_broadcast value_objective
    """,
    "grpo_advantage": """
        group_norm_adv group_global grpo_scores group_scores_over_all
    """,
    "entropy": """
        categorical_entropy entropy_base2 policy_entropy shannon_loop
    """,
    "kl": """
        kl_categorical kl_swapped
    """,
    "lambda_return": """
        dreamer_lambda lambda_targets td_lambda_mixed_up
    """,
    "n_step_return": """
        nstep nstep_no_discount n_step_targets
    """,
    "td_error": """
        td_with_discount td_never_masks td_errors td_residual td_target_error temporal_difference
    """,
    "ratio": """
        prob_ratio
    """,
}
FORMULAS |= {name: formula for formula, names in HOLD_OUT.items() for name in names.split()}
STRANGERS = ("stranger_right", "stranger_faulty", "later_functions")


@dataclass(frozen=True)
class Case:
    """One function and the truth about it."""

    file: str
    name: str
    truth: str

    @property
    def right(self) -> bool:
        return self.truth.startswith("right")

    @property
    def names(self) -> frozenset[str]:
        """Conventions of a right function; the fault of another, where it has a name."""
        return frozenset(filter(None, (word.strip() for word in self.truth.partition(":")[2].split(","))))

    @property
    def function(self) -> Any:
        module = importlib.import_module(f"{__name__}.{self.file}")
        return reduce(getattr, self.name.split("."), module)

    @property
    def method(self) -> bool:
        return self.file == "methods"

    @property
    def hold_out(self) -> bool:
        return self.file in STRANGERS


@dataclass(frozen=True)
class Judged:
    """What was said about a case."""

    case: Case
    verdict: str
    conventions: frozenset[str]
    faults: frozenset[str]
    why: str = ""

    @property
    def says_right(self) -> bool:
        return self.verdict in ("conforms", "conforms-under-convention")

    @property
    def rightly(self) -> bool:
        """The verdict is the truth; of a right function also the conventions are."""
        if not self.case.right:
            return bool(self.verdict) and not self.says_right
        return self.says_right and self.conventions == self.case.names

    @property
    def accused(self) -> bool:
        """A right function was said to be wrong; one that could not be judged was not."""
        return self.case.right and bool(self.verdict) and not self.says_right

    @property
    def missed(self) -> bool:
        return not self.case.right and self.says_right

    @property
    def named(self) -> bool:
        return bool(self.case.names) and self.case.names <= self.faults


def cases() -> Iterator[Case]:
    """All of them, in the order of their files."""
    truth = tomllib.loads((FOLDER / "truth.toml").read_text(encoding="utf-8"))
    for file, table in truth.items():
        yield from (Case(file, name, said) for name, said in table.items())


def judged(case: Case, random: int = 20) -> Judged:
    """Run one case as it stands, without an adapter."""
    from rlcalc.conform.binding.words.likely import guessed_formula
    from rlcalc.conform.runner import run
    from rlcalc.conform.target.base import from_function
    from rlcalc.errors import RlcalcError

    target = from_function(case.function, case.name)
    formula = FORMULAS.get(case.name) or guessed_formula(case.name, target.facts)
    try:
        found = run(target, formula, random=random)
    except RlcalcError as error:
        return Judged(case, "", frozenset(), frozenset(), str(error))
    matches = found.diagnosis.matches if found.diagnosis is not None else ()
    return Judged(
        case,
        found.verdict,
        frozenset(way.name for way in found.conventions),
        frozenset(fault.name for match in matches for fault in match.faults),
        "; ".join(j.why for j in found.failures[:1]),
    )
