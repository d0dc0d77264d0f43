"""What the sequence formulas share: episodes, and the value after each step.

Time runs over t = 0 … T−1. ``rewards[t]`` is R_{t+1}, ``values[t]`` is
V(S_t), ``next_values[t]`` is V of the true successor of step t, which for a
truncated step is not ``values[t+1]`` (that one belongs to the next episode).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, NamedTuple

from rlcalc._lazy import np
from rlcalc.backends import Backend
from rlcalc.errors import InputError
from rlcalc.exact import compare, to_text
from rlcalc.formulas import load_forms
from rlcalc.inputs import Arrays, Inputs
from rlcalc.spelling import spelled
from rlcalc.steps import Derivation, Name, Symbol, Term, product, total


@dataclass
class Episode:
    """Exact inputs of a sequence formula under their names.

    Discounted quantities are remembered, so that the many returns of one
    episode share their summands: a term knows its value once it was asked.
    """

    rewards: list[Symbol]
    values: list[Symbol]
    next_values: list[Symbol]
    gammas: list[Symbol]
    terminated: list[bool]
    truncated: list[bool]
    one_gamma: bool
    _discounts: dict[tuple[int, int], Term] = field(default_factory=dict, repr=False)
    _rewards: dict[tuple[int, int], Term] = field(default_factory=dict, repr=False)

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
        key = (0 if self.one_gamma else t, k)
        if key not in self._discounts:
            if self.one_gamma:
                self._discounts[key] = power(self.gammas[0], k)
            else:
                self._discounts[key] = product(self.gammas[t : t + k])
        return self._discounts[key]

    def discounted(self, t: int, k: int, quantity: Term) -> Term:
        """``quantity`` as seen from t when it arrives k steps later."""
        factor = self.discount(t, k)
        return quantity if factor is None else factor * quantity

    def discounted_reward(self, t: int, k: int) -> Term:
        """γ^k R_{t+k+1}, one term for all returns from t."""
        if (t, k) not in self._rewards:
            self._rewards[t, k] = self.discounted(t, k, self.rewards[t + k])
        return self._rewards[t, k]

    def n_step(self, t: int, n: float) -> Term:
        """G_t^(n) by its definition; past the end it is the full return."""
        steps = self.horizon(t) if n >= self.horizon(t) else int(n)
        last = t + steps - 1
        summands = [self.discounted_reward(t, k) for k in range(steps)]
        if not self.terminated[last]:
            summands.append(self.discounted(t, steps, self.next_values[last]))
        return total(summands)

    def td_target(self, t: int) -> Term:
        """R_{t+1} + γ V'(S_{t+1}); after a terminated step the reward alone."""
        if self.terminated[t]:
            return self.rewards[t]
        return self.rewards[t] + self.gammas[t] * self.next_values[t]

    def td_error(self, t: int) -> Term:
        """δ_t = R_{t+1} + γ V'(S_{t+1}) − V(S_t), without the middle term after a terminated step."""
        if self.terminated[t]:
            return self.rewards[t] - self.values[t]
        return total([self.rewards[t], self.gammas[t] * self.next_values[t], -self.values[t]])


def power(base: Term, exponent: int) -> Term:
    """``base`` to a positive power, written as people write it: no exponent 1."""
    return base if exponent == 1 else base**exponent


def exact_episode(d: Derivation, i: Inputs) -> Episode:
    """Name the exact inputs of a sequence formula."""
    steps = len(i.rewards)
    state = [Name("S", str(t)) for t in range(steps + 1)]
    values = [d.given(Name("V", arg=state[t]), value) for t, value in enumerate(i.values)]
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
    episode = Episode(
        rewards=[d.given(Name("R", str(t + 1)), reward) for t, reward in enumerate(i.rewards)],
        values=values,
        next_values=next_values,
        gammas=gammas,
        terminated=_flags(i.terminated, steps, i.given.get("terminal") or False),
        truncated=_flags(i.truncated, steps, False),
        one_gamma=one_gamma,
    )
    if i.next_values is None:
        for t in range(steps - 1):
            if episode.truncated[t] and not episode.terminated[t]:
                d.note(
                    f"Step {t} is truncated and next-values is not given: it bootstraps from V(S_{t + 1})."
                )
    return episode


def _flags(flags: list[bool] | None, steps: int, last: bool) -> list[bool]:
    flags = list(flags) if flags else [False] * steps
    flags[-1] = flags[-1] or last
    return flags


def check_terminal(i: Inputs) -> None:
    """Refuse ``terminal`` next to a last value that is not 0.

    Raises:
        InputError: ``terminal_value_not_zero``, with the answers of both readings.
    """
    if not i.given.get("terminal"):
        return
    last = (i.next_values or i.values)[-1]
    if compare(last, 0) != 0:
        raise _terminal_value(
            f"V(S_{len(i.rewards)}), is {to_text(last)}", _answer(i, last), _answer(i, Fraction(0))
        )


def check_terminal_arrays(a: Arrays) -> None:
    """``check_terminal`` for arrays; nan is no value, since a successor that does not exist may be that.

    Raises:
        InputError: ``terminal_value_not_zero``.
    """
    name = "values" if a.next_values is None else "next_values"
    if not a.terminal or getattr(a, name) is None:
        return
    found = a.look(name)
    if found is not None:
        last = np.nan_to_num(found[0][..., -1])
        if np.any(last != 0):
            raise _terminal_value(f"the last of {spelled(name)}, is not 0")


def _terminal_value(which: str, bootstraps: str = "", ends: str = "") -> InputError:
    hint = f"Either leave out {spelled('terminal')}, to bootstrap from that value"
    hint += f" (the answer is then {bootstraps})" if bootstraps else ""
    hint += ", or give 0 as the last value"
    hint += f" (the answer is then {ends})." if ends else "."
    return InputError(
        "terminal_value_not_zero",
        f"The value of a terminal state is 0, but the value after the last step, {which}.",
        hint,
    )


def _answer(i: Inputs, last: Any) -> str:
    """The answer with ``last`` as the last value and without ``terminal``; empty when it is too long."""
    if len(i.rewards) > i.formula.exact_limit:
        return ""
    name = "values" if i.next_values is None else "next_values"
    values = {**i.given, "terminal": None, name: [*i.given[name][:-1], last]}
    plain = replace(i, given=values, notes=[])
    derivation = Derivation(i.formula, plain.texts())
    load_forms(i.formula.name).exact_form(derivation, plain)
    text = to_text(derivation.answer)
    return text if len(text) <= 60 else ""


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


def prepare(
    xp: Backend,
    rewards: Any,
    values: Any = None,
    gamma: Any = 1.0,
    terminated: Any = None,
    truncated: Any = None,
    next_values: Any = None,
    terminal: bool = False,
) -> Prepared:
    """Complete the shared signature, on the device of ``rewards``; nothing given is changed."""
    steps = rewards.shape[-1]
    if values is None:
        values = xp.new_zeros(rewards, (*rewards.shape[:-1], steps + 1))
    bootstrap = values[..., 1:] if next_values is None else next_values
    carry: Any = 1.0
    if terminal:
        ends = xp.indices(steps, rewards) == steps - 1
        terminated = ends if terminated is None else terminated | ends
    if terminated is not None:
        # selected, not multiplied: a successor that does not exist may be nan
        bootstrap = xp.where(terminated, 0.0, bootstrap)
        carry = xp.cast(~terminated, rewards.dtype)
    if truncated is not None:
        carry = carry * xp.cast(~truncated, rewards.dtype)
    return Prepared(rewards, values, bootstrap, gamma, carry)
