"""Adam and plain descent on one flat vector.

All parameters are views of one tensor, and their gradients of another: a step
is a handful of kernels whatever the number of layers, a global gradient is
one reduction, and a checkpoint is three vectors. `torch.optim` would do, but
its first step loads the compiler, which takes longer than CartPole.

Adam: Kingma and Ba, arXiv:1412.6980, algorithm 1, with torch.optim's defaults.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import sqrt
from typing import Literal

import torch
from torch import Tensor, nn


class Optimiser:
    """Descends along ``gradient``.

    Attributes:
        flat: [P], all parameters; writing to it changes the network.
        gradient: [P], what ``backward`` adds to; ``zero`` empties it.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        kind: Literal["adam", "sgd"] = "adam",
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
    ) -> None:
        parts = list(parameters)
        self.kind, self.betas, self.epsilon = kind, betas, epsilon
        self.flat = torch.cat([part.detach().reshape(-1) for part in parts])
        self.gradient = torch.zeros_like(self.flat)
        self.first, self.second = torch.zeros_like(self.flat), torch.zeros_like(self.flat)
        self.count = 0
        start = 0
        for part in parts:
            stop = start + part.numel()
            part.data = self.flat[start:stop].view_as(part)
            part.grad = self.gradient[start:stop].view_as(part)
            start = stop

    def zero(self) -> None:
        self.gradient.zero_()

    def shorten(self, longest: float) -> None:
        """Scale the gradient down to a length, without waiting for the device to know its own."""
        norm = torch.linalg.vector_norm(self.gradient)
        self.gradient.mul_((longest / (norm + 1e-6)).clamp(max=1.0))

    def step(self, learning_rate: float) -> None:
        """One step against the gradient."""
        self.count += 1
        if self.kind == "sgd":
            self.flat.sub_(self.gradient, alpha=learning_rate)
            return
        beta1, beta2 = self.betas
        self.first.lerp_(self.gradient, 1 - beta1)
        self.second.mul_(beta2).addcmul_(self.gradient, self.gradient, value=1 - beta2)
        scale = self.second.sqrt().div_(sqrt(1 - beta2**self.count)).add_(self.epsilon)
        self.flat.addcdiv_(self.first, scale, value=-learning_rate / (1 - beta1**self.count))

    def state_dict(self) -> dict[str, Tensor]:
        return {
            "flat": self.flat.clone(),
            "first": self.first.clone(),
            "second": self.second.clone(),
            "count": torch.tensor(self.count),
        }

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.flat.copy_(state["flat"])
        self.first.copy_(state["first"])
        self.second.copy_(state["second"])
        self.count = int(state["count"])
