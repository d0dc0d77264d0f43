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

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch

from rlcalc.errors import InputError, UnknownName, shown, suggestion
from rlcalc.ppo.envs.base import check_integer

if TYPE_CHECKING:
    from rlcalc.ppo.envs.base import VectorEnv


class _Kind(NamedTuple):
    """Where an environment is found; it is imported when it is asked for."""

    module: str
    name: str
    options: tuple[str, ...] = ()


_KINDS = {
    "bandit": _Kind("bandit", "Bandit"),
    "grid2x2": _Kind("grid", "Grid", ("slip", "exploring_starts", "time_limit")),
    "tokens": _Kind("tokens", "Tokens"),
    "cartpole": _Kind("cartpole", "CartPole", ("time_limit",)),
}
NAMES = tuple(_KINDS)
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
    check_integer(num_envs, "num_envs", "env_count_out_of_range", 1, MAX_ENVS)
    check_integer(seed, "seed", "env_seed_out_of_range", 0, 2**63 - 1)
    if dtype not in DTYPES:
        raise InputError("env_dtype_unsupported", f"dtype must be float32 or float64, not {dtype}.")
    device = torch.device(device)
    if isinstance(name, str) and name.startswith("gym:"):
        from rlcalc.ppo.envs.gym import GymEnv

        return GymEnv(name.removeprefix("gym:"), num_envs, seed, device, dtype, **options)
    if name not in _KINDS:
        hint = suggestion(str(name), list(NAMES))
        raise UnknownName(
            "env_unknown",
            f"There is no environment {shown(name)}.",
            hint or f"There are {', '.join(NAMES)}, and gym:NAME for those of Gymnasium.",
        )
    kind = _KINDS[name]
    for key in options:
        if key not in kind.options:
            hint = suggestion(key, list(kind.options)) or f"Options: {', '.join(kind.options) or 'none'}."
            raise UnknownName("env_unknown_option", f"{name} has no option {shown(key)}.", hint)
    made = getattr(import_module(f"rlcalc.ppo.envs.{kind.module}"), kind.name)
    return cast("VectorEnv", made(num_envs, seed, device, dtype, **options))
