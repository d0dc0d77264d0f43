"""What the sequence formulas share: episodes, and the value after each step.

Time runs over t = 0 … T−1. ``rewards[t]`` is R_{t+1}, ``values[t]`` is
V(S_t), ``next_values[t]`` is V of the true successor of step t, which for a
truncated step is not ``values[t+1]`` (that one belongs to the next episode).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from rlcalc.errors import InputError
from rlcalc.exact import compare, to_text
from rlcalc.terms import Name, Symbol, Term, product, total

if TYPE_CHECKING:
    from rlcalc.derivation import Derivation
    from rlcalc.inputs import Inputs


@dataclass
class Episode:
    """Exact inputs of a sequence formula under their names."""

    rewards: list[Symbol]
    values: list[Symbol]
    next_values: list[Symbol]
    gammas: list[Symbol]
    terminated: list[bool]
    truncated: list[bool]
    one_gamma: bool

    @property
    def steps(self) -> int:
        return len(self.rewards)

    def ends(self, t: int) -> bool:
        """Whether the recursion stops after step t."""
        return self.terminated[t] or self.truncated[t] or t == self.steps - 1

    def horizon(self, t: int) -> int:
        """Number of steps from t to the end of its episode, at least 1."""
        last = next(k for k in range(t, self.steps) if self.ends(k))
        return last - t + 1

    def discount(self, t: int, k: int) -> Term | None:
        """γ^k, or γ_t·…·γ_{t+k−1} when discounts differ; ``None`` stands for 1."""
        if k == 0:
            return None
        if self.one_gamma:
            gamma = self.gammas[0]
            return gamma if k == 1 else gamma**k
        return product(self.gammas[t : t + k])

    def discounted(self, t: int, k: int, quantity: Term) -> Term:
        """``quantity`` as seen from t when it arrives k steps later."""
        factor = self.discount(t, k)
        return quantity if factor is None else factor * quantity

    def n_step(self, t: int, n: int, tail: Term | None = None) -> Term:
        """G_t^(n) by its definition; past the end it is the full return.

        ``tail`` replaces the value of the state after the last step.
        """
        n = min(n, self.horizon(t))
        last = t + n - 1
        summands = [self.discounted(t, k, self.rewards[t + k]) for k in range(n)]
        if not self.terminated[last]:
            summands.append(self.discounted(t, n, tail or self.next_values[last]))
        return total(summands)

    def td_error(self, t: int) -> Term:
        """δ_t = R_{t+1} + γ V'(S_{t+1}) − V(S_t), without the middle term after a terminated step."""
        target = [self.rewards[t]]
        if not self.terminated[t]:
            return total([*target, self.gammas[t] * self.next_values[t], -self.values[t]])
        return total([*target, -self.values[t]])


def exact_episode(d: Derivation, i: Inputs) -> Episode:
    """Name the exact inputs of a sequence formula."""
    steps = len(i.rewards)
    state = [Name("S", str(t)) for t in range(steps + 1)]
    values = [d.given(Name("V", arg=state[t]), value) for t, value in enumerate(i.values["values"])]
    if i.next_values is None:
        next_values = values[1:]
    else:
        next_values = [d.given(Name("V'", arg=state[t + 1]), v) for t, v in enumerate(i.next_values)]
    one_gamma = not isinstance(i.gamma, list)
    gammas = (
        [d.given("γ", i.gamma)] * steps
        if one_gamma
        else [d.given(Name("γ", str(t)), g) for t, g in enumerate(i.gamma)]
    )
    return Episode(
        rewards=[d.given(Name("R", str(t + 1)), reward) for t, reward in enumerate(i.rewards)],
        values=values,
        next_values=next_values,
        gammas=gammas,
        terminated=_flags(i.terminated, steps, i.values.get("terminal") or False),
        truncated=_flags(i.truncated, steps, False),
        one_gamma=one_gamma,
    )


def _flags(flags: list[bool] | None, steps: int, last: bool) -> list[bool]:
    flags = list(flags) if flags else [False] * steps
    flags[-1] = flags[-1] or last
    return flags


def check_terminal(i: Inputs, readings: str = "") -> None:
    """Refuse ``--terminal`` beside a last value that is not 0.

    Raises:
        InputError: ``terminal_value_not_zero``, with both readings.
    """
    if not i.values.get("terminal"):
        return
    last = (i.next_values or i.values["values"])[-1]
    if compare(last, 0) != 0:
        steps = len(i.rewards)
        raise InputError(
            "terminal_value_not_zero",
            f"A terminal state is worth 0, but the last value, V(S_{steps}), is {to_text(last)}.",
            "Either leave out --terminal, to bootstrap from that value, or give 0 as the last value."
            + readings,
        )


class Prepared(NamedTuple):
    """Arrays of a sequence formula, broadcast and complete.

    ``bootstrap`` is V of the successor, 0 after a terminated step;
    ``carry`` is 1 where the recursion goes on and 0 where it is cut.
    """

    rewards: Any
    values: Any
    bootstrap: Any
    gamma: Any
    carry: Any


def prepare_numpy(
    rewards: Any,
    values: Any = None,
    gamma: Any = 1.0,
    terminated: Any = None,
    truncated: Any = None,
    next_values: Any = None,
    terminal: bool = False,
) -> Prepared:
    """Complete the shared signature in NumPy; nothing given is changed."""
    import numpy as np

    if values is None:
        values = np.zeros((*rewards.shape[:-1], rewards.shape[-1] + 1), rewards.dtype)
    bootstrap = values[..., 1:] if next_values is None else next_values
    carry = np.asarray(1.0, rewards.dtype)
    if terminal:
        ends = np.zeros(rewards.shape[-1:], bool)
        ends[-1:] = True
        terminated = ends if terminated is None else terminated | ends
    if terminated is not None:
        # selected, not multiplied: a successor that does not exist may be nan
        bootstrap = np.where(terminated, np.asarray(0.0, rewards.dtype), bootstrap)
        carry = (~terminated).astype(rewards.dtype)
    if truncated is not None:
        carry = carry * (~truncated).astype(rewards.dtype)
    return Prepared(rewards, values, bootstrap, gamma, carry)


def prepare_torch(
    rewards: Any,
    values: Any = None,
    gamma: Any = 1.0,
    terminated: Any = None,
    truncated: Any = None,
    next_values: Any = None,
    terminal: bool = False,
) -> Prepared:
    """Complete the shared signature in Torch, on the device of ``rewards``."""
    import torch

    if values is None:
        values = rewards.new_zeros((*rewards.shape[:-1], rewards.shape[-1] + 1))
    bootstrap = values[..., 1:] if next_values is None else next_values
    carry = torch.ones((), dtype=rewards.dtype, device=rewards.device)
    if terminal:
        ends = torch.arange(rewards.shape[-1], device=rewards.device) == rewards.shape[-1] - 1
        terminated = ends if terminated is None else terminated | ends
    if terminated is not None:
        # selected, not multiplied: a successor that does not exist may be nan
        bootstrap = bootstrap.masked_fill(terminated, 0.0)
        carry = carry * (~terminated).to(rewards.dtype)
    if truncated is not None:
        carry = carry * (~truncated).to(rewards.dtype)
    return Prepared(rewards, values, bootstrap, gamma, carry)
