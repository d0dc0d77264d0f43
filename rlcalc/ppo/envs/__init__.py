"""Environments for the PPO run, by name.

    bandit      the two actions of section 4.4: L pays 10, R pays 0, then it is over
    grid2x2     the 2×2 grid of section 3.4; options slip, exploring_starts, time_limit
    tokens      two words out of {3, 4, 5}, reward 1 at the last word if and only if it is 5
    cartpole    CartPole-v1 of Gymnasium; option time_limit
    gym:NAME    any Gymnasium environment with discrete or box actions; options go to its constructor

All but the last run wholly in Torch on one device: shapes never change, no
step waits for the device, and all chance comes from one ``torch.Generator``
(``env.generator``; register it with a CUDA graph that is to capture steps).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from rlcalc.errors import DataError, InputError, UnknownName, shown, suggestion

if TYPE_CHECKING:
    from rlcalc.ppo.envs.base import VectorEnv

NAMES = ("bandit", "grid2x2", "tokens", "cartpole")
MAX_ENVS = 1 << 24
DTYPES = (torch.float32, torch.float64)


def make_env(
    name: str,
    num_envs: int,
    seed: int,
    device: torch.device | str,
    dtype: torch.dtype,
    **options: Any,
) -> VectorEnv:
    """Build ``num_envs`` copies of the environment ``name``.

    Args:
        name: one of ``NAMES``, or ``gym:`` and the id of a Gymnasium environment.
        num_envs: copies that run side by side, N.
        seed: of the environment's own random numbers; 0 ≤ seed < 2⁶³.
        device: where all tensors live.
        dtype: of observations and rewards, ``torch.float32`` or ``torch.float64``.
        options: of this environment, see above.

    Raises:
        UnknownName: ``env_unknown``, ``env_unknown_option``, ``gym_unknown``.
        InputError: ``env_count_out_of_range``, ``env_seed_out_of_range``,
            ``env_dtype_unsupported``, ``env_option_out_of_range``, and
            ``gym_...`` for what is peculiar to Gymnasium.
    """
    _check_whole(num_envs, "num_envs", "env_count_out_of_range", 1, MAX_ENVS)
    _check_whole(seed, "seed", "env_seed_out_of_range", 0, 2**63 - 1)
    if dtype not in DTYPES:
        raise InputError("env_dtype_unsupported", f"dtype must be float32 or float64, not {dtype}.")
    device = torch.device(device)
    # each environment is imported when it is asked for: a start loads nothing else
    if name == "cartpole":
        from rlcalc.ppo.envs.cartpole import CartPole

        return CartPole(num_envs, seed, device, dtype, **_known(name, options, "time_limit"))
    if name == "grid2x2":
        from rlcalc.ppo.envs.grid import Grid

        known = _known(name, options, "slip", "exploring_starts", "time_limit")
        return Grid(num_envs, seed, device, dtype, **known)
    if name == "tokens":
        from rlcalc.ppo.envs.tokens import Tokens

        return Tokens(num_envs, seed, device, dtype, **_known(name, options))
    if name == "bandit":
        from rlcalc.ppo.envs.bandit import Bandit

        return Bandit(num_envs, seed, device, dtype, **_known(name, options))
    if isinstance(name, str) and name.startswith("gym:"):
        from rlcalc.ppo.envs.gym import GymEnv

        return GymEnv(name.removeprefix("gym:"), num_envs, seed, device, dtype, **options)
    hint = suggestion(str(name), list(NAMES))
    raise UnknownName(
        "env_unknown",
        f"There is no environment {shown(name)}.",
        hint or f"There are {', '.join(NAMES)}, and gym:NAME for those of Gymnasium.",
    )


def _known(name: str, options: dict[str, Any], *known: str) -> dict[str, Any]:
    for key in options:
        if key not in known:
            hint = suggestion(key, list(known)) or f"Options: {', '.join(known) or 'none'}."
            raise UnknownName("env_unknown_option", f"{name} has no option {shown(key)}.", hint)
    return options


def _check_whole(value: Any, what: str, code: str, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(code, f"{what} must be a whole number from {low} to {high}, not {shown(value)}.")


def check_time_limit(value: Any) -> None:
    """A time limit counts steps: a whole number from 1 that int32 can hold."""
    _check_whole(value, "time_limit", "env_option_out_of_range", 1, 2**31 - 2)


class TorchEnv:
    """What the environments written in Torch have in common.

    A subclass names the tensors that its future depends on in ``_state``; the
    generator is kept beside them.
    """

    name: str

    def __init__(self, num_envs: int, seed: int, device: torch.device, dtype: torch.dtype) -> None:
        self.num_envs = num_envs
        self.device = device
        self.dtype = dtype
        self.generator = torch.Generator(device)
        self.generator.manual_seed(seed)

    def _state(self) -> dict[str, Tensor]:
        """The private buffers themselves, not copies."""
        raise NotImplementedError

    def _restored(self) -> None:
        """Called after the buffers were filled from a saved state."""

    def state_dict(self) -> dict[str, Tensor]:
        """Copies of the private buffers, and the generator's state (uint8, on the CPU)."""
        saved = {key: value.clone() for key, value in self._state().items()}
        return {**saved, "generator": self.generator.get_state()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on exactly where ``state_dict`` was called.

        Raises:
            DataError: ``env_state_foreign``, when the names, shapes or dtypes
                are not those of this environment; nothing is changed then.
        """
        own = self._state()
        if state.keys() != {*own, "generator"}:
            self._foreign(f"it holds {', '.join(map(str, state)) or 'nothing'}")
        for key, value in own.items():
            there = state[key]
            if there.shape != value.shape or there.dtype != value.dtype:
                self._foreign(
                    f"{key} is {there.dtype} {list(there.shape)}, not {value.dtype} {list(value.shape)}"
                )
        try:
            self.generator.set_state(state["generator"].cpu())
        except (RuntimeError, TypeError):
            self._foreign("its random numbers are of another device or version of Torch")
        for key, value in own.items():
            value.copy_(state[key])
        self._restored()

    def _foreign(self, why: str) -> None:
        raise DataError(
            "env_state_foreign", f"This state is not one of {self.num_envs} copies of {self.name}: {why}."
        )
