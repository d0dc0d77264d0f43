"""CartPole-v1, equal to Gymnasium's: same physics, same order of operations, same rounding.

A step at few copies costs what its Torch calls cost to launch, so it makes
few of them, into private buffers: about thirty, with constants that are
tensors already (a Python number is wrapped again at every call) and halves
folded into constants where that is exact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from rlcalc.ppo.envs.base import Actions, Copies, DiscreteActions, TorchEnv, Transition, check_time_limit

GRAVITY = 9.8  # m/s²
MASS_POLE = 0.1  # kg
MASS_TOTAL = 0.1 + 1.0  # kg, pole and cart
HALF_POLE = 0.5  # m, half the pole's length
FORCE = 10.0  # N, to the left for action 0 and to the right for action 1
TAU = 0.02  # s between two states
X_LIMIT = 2.4  # m
THETA_LIMIT = 12 * 2 * math.pi / 360  # rad
START = 0.05  # every component of a first state is uniform in [−START, START)
TIME_LIMIT = 500  # steps


class CartPole(TorchEnv):
    """N poles on carts; reward 1 per step, the last one included.

    Observations [N, 4] are the state itself: x (m), ẋ (m/s), θ (rad), θ̇ (rad/s).
    An episode is terminated when |x| > 2.4 or |θ| > 12°, and truncated after
    ``time_limit`` steps. A step that is both raises both flags, as in Gymnasium.
    """

    name = "cartpole"
    observation_size = 4
    action: Actions = DiscreteActions(2)
    solved_at: float | None = 475.0

    def __init__(self, copies: Copies, time_limit: int = TIME_LIMIT) -> None:
        super().__init__(copies)
        check_time_limit(time_limit)
        self._make_constants(time_limit)
        self._make_buffers()
        self.reset()

    def _make_constants(self, time_limit: int) -> None:
        def real(*values: float) -> Tensor:
            return torch.tensor(values, dtype=self.dtype, device=self.device)

        def number(value: float) -> Tensor:
            return real(value).squeeze()

        self._forces = real(-FORCE, FORCE)
        self._gravity, self._mass, self._tau = number(GRAVITY), number(MASS_TOTAL), number(TAU)
        # mass of the pole times half its length; Gymnasium's divisor l·(4/3 − m·cos²θ/M), l = 1/2,
        # is l·4/3 − l·m·cos²θ/M to the last bit, since halving rounds nothing
        self._pole = number(MASS_POLE * HALF_POLE)
        self._four_thirds = number(4.0 / 3.0 * HALF_POLE)
        self._limits = real(X_LIMIT, math.inf, THETA_LIMIT, math.inf)
        # one number seen N times: it costs nothing to hand out, and writing into it raises
        self._reward = real(1.0).expand(self.num_envs)
        self._one = torch.ones((), dtype=torch.int32, device=self.device)
        self._time_limit = torch.full((), time_limit, dtype=torch.int32, device=self.device)

    def _make_buffers(self) -> None:
        n = self.num_envs

        def real(*shape: int) -> Tensor:
            return torch.empty(shape, dtype=self.dtype, device=self.device)

        self._now, self._fresh, self._size, self._change = real(n, 4), real(n, 4), real(n, 4), real(n, 4)
        self._steps = torch.zeros(n, dtype=torch.int32, device=self.device)
        self._velocity, self._theta, self._spin = self._now[:, 1::2], self._now[:, 2], self._now[:, 3]
        self._pushed, self._accelerated = self._change[:, 0::2], self._change[:, 1::2]
        self._acceleration = real(n, 2)
        self._linear, self._angular = self._acceleration.unbind(1)
        self._sin, self._cos, self._left, self._right = real(4, n).unbind(0)
        self._both = real(2, n)
        self._pull, self._inertia = self._both.unbind(0)
        self._outside = torch.empty(n, 4, dtype=torch.bool, device=self.device)
        self._aside, self._fallen = self._outside[:, 0], self._outside[:, 2]
        self._ended_column = torch.empty(n, 1, dtype=torch.bool, device=self.device)
        self._ended = self._ended_column[:, 0]

    def _state(self) -> dict[str, Tensor]:
        return {"state": self._now, "steps": self._steps}

    def _impossible(self, state: Mapping[str, Tensor]) -> str:
        right = state["state"].isfinite().all() and (state["steps"] >= 0).all()
        return "" if right else "a state is not finite, or a count is negative"

    def reset(self) -> Tensor:
        """Start all episodes again; observations [N, 4]."""
        self._now.uniform_(-START, START, generator=self.generator)
        self._steps.zero_()
        return self._now.clone()

    def step(self, action: Tensor) -> Transition:
        """One Euler step of ``TAU`` seconds; action [N] int64, 0 pushes left and 1 right."""
        sin, cos, pull, inertia = self._sin, self._cos, self._pull, self._inertia
        torch.sin(self._theta, out=sin)
        torch.cos(self._theta, out=cos)
        # pull = (force + m·l·θ̇²·sin θ) / M and inertia = m·l·cos²θ / M, where they are alike in one call
        torch.mul(self._spin, self._spin, out=pull)
        torch.mul(cos, cos, out=inertia)
        self._both.mul_(self._pole)
        pull.mul_(sin).add_(self._forces.index_select(0, action))
        self._both.div_(self._mass)
        # θ̈ = (g·sin θ − cos θ·pull) / (l·4/3 − inertia)
        torch.mul(self._gravity, sin, out=self._left)
        torch.mul(cos, pull, out=self._right)
        self._left.sub_(self._right)
        torch.sub(self._four_thirds, inertia, out=inertia)
        torch.div(self._left, inertia, out=self._angular)
        # ẍ = pull − m·l·θ̈·cos θ / M
        torch.mul(self._pole, self._angular, out=self._right)
        self._right.mul_(cos).div_(self._mass)
        torch.sub(pull, self._right, out=self._linear)
        # positions move by the old velocities
        torch.mul(self._velocity, self._tau, out=self._pushed)
        torch.mul(self._acceleration, self._tau, out=self._accelerated)
        successor = self._now + self._change

        torch.abs(successor, out=self._size)
        torch.gt(self._size, self._limits, out=self._outside)
        terminated = torch.bitwise_or(self._aside, self._fallen)
        self._steps.add_(self._one)
        truncated = torch.ge(self._steps, self._time_limit)
        torch.bitwise_or(terminated, truncated, out=self._ended)

        # drawn for every copy at every step: the shape never depends on the data
        self._fresh.uniform_(-START, START, generator=self.generator)
        observation = torch.where(self._ended_column, self._fresh, successor)
        self._now.copy_(observation)
        self._steps.masked_fill_(self._ended, 0)
        return Transition(observation, self._reward, terminated, truncated, successor)
