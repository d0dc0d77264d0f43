"""Any Gymnasium environment with discrete or box actions, through its vector API.

It steps on the CPU in NumPy, copy by copy, whatever the device of the run is.
What such an environment keeps inside cannot be saved in general, so a run on
one cannot be resumed bit-identically: ``resumable`` is false, and after
``load_state_dict`` all episodes start again.

It is not our code, so whatever it raises, `SystemExit` included, is
an error that names it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from rlcalc.errors import InputError, RlcalcError, UnknownName, shown, suggestion
from rlcalc.ppo.envs.base import Actions, BoxActions, Copies, DiscreteActions, Transition
from rlcalc.training.state import restore

EXTRA = 'It comes with the extra "test" of rlcalc; gymnasium>=1.1 alone will do.'


def _gymnasium() -> Any:
    try:
        import gymnasium
    except ImportError as error:
        raise InputError("gym_missing", "gym:NAME needs Gymnasium, which is not installed.", EXTRA) from error
    if not hasattr(gymnasium.vector, "AutoresetMode"):
        raise InputError("gym_too_old", f"Gymnasium {gymnasium.__version__} is too old for gym:NAME.", EXTRA)
    return gymnasium


class GymEnv:
    """N copies of a Gymnasium environment.

    Observations [N, O] are flattened boxes, or one-hot for a discrete space.
    Discrete actions count from 0, whatever the space starts at. Box actions
    [N, size] are flattened; one outside its bounds is taken at the nearest.

    Args:
        name: id, such as ``Pendulum-v1``, or ``module:id`` as Gymnasium reads it.
        options: keyword arguments of the environment's constructor.

    Raises:
        UnknownName: ``gym_unknown``.
        InputError: ``gym_missing``, ``gym_too_old``, ``gym_space_unsupported``,
            ``gym_failed`` with Gymnasium's own reason.
    """

    resumable = False
    generator = None

    def __init__(self, name: str, copies: Copies, **options: Any) -> None:
        gymnasium = _gymnasium()
        self.name = f"gym:{name}"
        self.num_envs, self.device, self.dtype = copies.count, copies.device, copies.dtype
        # Resets are asked for here and not left to Gymnasium. With NEXT_STEP a step that ignores its
        # action would be learnt from; with SAME_STEP the final observation is a reference that an
        # environment which reuses its array overwrites in the reset.
        disabled = gymnasium.vector.AutoresetMode.DISABLED
        with _refusing(f"Gymnasium cannot make {shown(name)}"):
            try:
                self._envs = gymnasium.make_vec(
                    name,
                    num_envs=self.num_envs,
                    vectorization_mode="sync",
                    vector_kwargs={"autoreset_mode": disabled},
                    **options,
                )
            except gymnasium.error.UnregisteredEnv as error:
                hint = suggestion(name, list(gymnasium.registry)) or "Names are those of gymnasium.make."
                message = f"Gymnasium knows no environment {shown(name)}."
                raise UnknownName("gym_unknown", message, hint) from error
        with _refusing(f"{self.name} failed in its spaces"):
            self.action = _actions(gymnasium.spaces, self._envs.single_action_space)
            self.observation_size = _size(gymnasium.spaces, self._envs.single_observation_space)
            threshold = self._envs.spec.reward_threshold
            self.solved_at: float | None = None if threshold is None else float(threshold)
        self._seed, self._resumed_after = copies.seed, 0
        self._steps = 0
        self._began = False

    def reset(self) -> Tensor:
        """Start all episodes again; observations [N, O]. Only the first reset seeds."""
        seeds = None
        if not self._began:
            # hashed: with seed, seed+1, … two runs of neighbouring seeds would share most episodes
            sequence = np.random.SeedSequence([self._seed, self._resumed_after])
            seeds = [int(seed) for seed in sequence.generate_state(self.num_envs)]
        with _refusing(f"{self.name} failed in reset"):
            observation, _ = self._envs.reset(seed=seeds)
            self._began = True
            return self._observed(observation)

    def step(self, action: Tensor) -> Transition:
        """One step of every copy, waiting for the device; action [N] int64 or [N, size].

        Raises:
            InputError: ``gym_reset_needed``, before the first ``reset``.
        """
        if not self._began:
            raise InputError(
                "gym_reset_needed", f"{self.name} has no episode to go on with.", "Call reset() first."
            )
        with _refusing(f"{self.name} failed in step"):
            observation, reward, terminated, truncated, _ = self._envs.step(self._taken(action))
            self._steps += 1
            successor = self._observed(observation)
            ended = terminated | truncated
            if ended.any():
                # rows that go on are handed back as they are
                following = self._observed(self._envs.reset(options={"reset_mask": ended})[0])
            else:
                following = successor.clone()
            return Transition(
                following,
                torch.as_tensor(reward, dtype=self.dtype).to(self.device),
                torch.as_tensor(terminated).to(self.device),
                torch.as_tensor(truncated).to(self.device),
                successor,
            )

    def _observed(self, observation: Any) -> Tensor:
        space = self._envs.single_observation_space
        if hasattr(space, "n"):
            index = torch.as_tensor(observation - space.start)
            return torch.nn.functional.one_hot(index, int(space.n)).to(self.device, self.dtype)
        # a copy: what Gymnasium hands out may be an array that it fills again
        rows = np.array(observation, copy=True).reshape(self.num_envs, self.observation_size)
        return torch.as_tensor(rows, dtype=self.dtype).to(self.device)

    def _taken(self, action: Tensor) -> Any:
        space = self._envs.single_action_space
        raw = action.detach().cpu().numpy()
        if isinstance(self.action, DiscreteActions):
            return raw + space.start
        shaped = raw.reshape(self.num_envs, *space.shape)
        return np.clip(shaped.astype(space.dtype), space.low, space.high)

    def state_dict(self) -> dict[str, Tensor]:
        """How many steps were taken: enough not to repeat them, not to go on with the same episodes."""
        return {"steps": torch.tensor(self._resumed_after + self._steps)}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Draw new episodes, other than those so far; ``reset`` must come next.

        Raises:
            DataError: ``env_state_foreign``.
        """
        steps = torch.tensor(0)
        negative = lambda state: "it counts fewer than no steps" if state["steps"] < 0 else ""  # noqa: E731
        restore({"steps": steps}, state, self.name, "env_state_foreign", negative)
        self._resumed_after, self._steps = int(steps), 0
        self._began = False

    def close(self) -> None:
        """Release what Gymnasium holds, such as windows."""
        with suppress(Exception, SystemExit):
            self._envs.close()


@contextmanager
def _refusing(what: str) -> Iterator[None]:
    """Whatever code of others raises, as an error that says what failed."""
    try:
        with _staying():
            yield
    except (RlcalcError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise InputError("gym_failed", f"{what}: {_why(error)}.") from error


@contextmanager
def _staying() -> Iterator[None]:
    """``os._exit`` raises `SystemExit` meanwhile: a run must not end with code 0 and without a word."""
    leave, owner = os._exit, os.getpid()

    def stay(status: int) -> NoReturn:
        if os.getpid() != owner:  # a child that an environment forked may end as it likes
            leave(status)
        raise SystemExit(status)

    os._exit = stay
    try:
        yield
    finally:
        os._exit = leave


def _why(error: BaseException) -> str:
    text = shown(error, 300)
    return f"{type(error).__name__}: {text}" if str(error) else type(error).__name__


def _actions(spaces: Any, space: Any) -> Actions:
    if isinstance(space, spaces.Discrete):
        return DiscreteActions(int(space.n))
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
        low, high = (tuple(float(x) for x in bound.flat) for bound in (space.low, space.high))
        return BoxActions(len(low), low, high)
    raise InputError(
        "gym_space_unsupported",
        f"Its action space is {shown(space)}.",
        "Actions may be Discrete, or a Box of real numbers.",
    )


def _size(spaces: Any, space: Any) -> int:
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    if isinstance(space, spaces.Box):
        return int(np.prod(space.shape, dtype=np.int64))
    raise InputError(
        "gym_space_unsupported",
        f"Its observation space is {shown(space)}.",
        "Observations may be a Box or Discrete; wrap the environment to flatten it.",
    )
