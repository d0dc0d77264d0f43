"""Adam and plain descent on one flat vector.

All parameters are views of one tensor, and their gradient is another: a step
is a handful of kernels whatever the number of layers, a global gradient is
one reduction, and a checkpoint is three vectors. `torch.optim` would do, but
its first step loads the compiler, which takes longer than CartPole.

Learning rate and number of steps are tensors too. A recorded step (see
`rlcalc.ppo.run.capture`) would repeat a Python number for ever.

Adam: Kingma and Ba, arXiv:1412.6980, algorithm 1, with torch.optim's defaults.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import log
from typing import Any, Literal

import torch
from torch import Tensor, nn

from rlcalc.training.state import restore


class Optimiser:
    """Descends along ``gradient``.

    Attributes:
        flat: [P], all parameters; writing to it changes the network.
        gradient: [P], what `differentiate` found last.
        rate: [], the learning rate of the steps to come.
        count: [], steps taken.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        kind: Literal["adam", "sgd"] = "adam",
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
    ) -> None:
        self.parts = list(parameters)
        self.kind, self.betas, self.epsilon = kind, betas, epsilon
        self.flat = torch.cat([part.detach().reshape(-1) for part in self.parts])
        self.gradient = torch.zeros_like(self.flat)
        self.first, self.second = torch.zeros_like(self.flat), torch.zeros_like(self.flat)
        self.rate, self.count = self.flat.new_zeros(()), self.flat.new_zeros(())
        self._log_betas = self.flat.new_tensor([log(beta) for beta in betas])
        start = 0
        for part in self.parts:
            stop = start + part.numel()
            part.data = self.flat[start:stop].view_as(part)
            start = stop

    def forget(self) -> None:
        """Begin again from here, as for another loss: no moments, no steps."""
        for tensor in (self.first, self.second, self.count, self.gradient):
            tensor.zero_()

    def differentiate(self, loss: Tensor, add: bool = False) -> None:
        """Put ∂loss/∂parameters into ``gradient``; 0 for a parameter that the loss does not depend on.

        Args:
            add: to what stands there, for a loss that comes in parts.
        """
        found = torch.autograd.grad(loss, self.parts, allow_unused=True)
        pairs = zip(found, self.parts, strict=True)
        rows = [(torch.zeros_like(part) if grad is None else grad).reshape(-1) for grad, part in pairs]
        if add:
            self.gradient.add_(torch.cat(rows))
        else:
            torch.cat(rows, out=self.gradient)

    def shorten(self, longest: float) -> None:
        """Scale the gradient down to a length, without waiting for the device to know its own."""
        norm = torch.linalg.vector_norm(self.gradient)
        self.gradient.mul_((longest / (norm + 1e-6)).clamp(max=1.0))

    def step(self) -> None:
        """One step of size ``rate`` against the gradient."""
        self.count.add_(1)
        if self.kind == "sgd":
            self.flat.addcmul_(self.gradient, self.rate, value=-1)
            return
        beta1, beta2 = self.betas
        self.first.lerp_(self.gradient, 1 - beta1)
        self.second.mul_(beta2).addcmul_(self.gradient, self.gradient, value=1 - beta2)
        # 1 − βⁿ; written as a difference it would lose four digits of a float32 at first
        bias1, bias2 = torch.expm1(self.count * self._log_betas).neg_().unbind()
        scale = self.second.div(bias2).sqrt_().add_(self.epsilon)
        self.flat.addcdiv_(self.first * (self.rate / bias1), scale, value=-1)

    def _state(self) -> dict[str, Tensor]:
        return {name: getattr(self, name) for name in ("flat", "first", "second", "count")}

    def state_dict(self) -> dict[str, Tensor]:
        return {name: tensor.clone() for name, tensor in self._state().items()}

    def load_state_dict(self, state: Any) -> None:
        """Go on from what ``state_dict`` gave.

        Raises:
            DataError: ``checkpoint_foreign``.
        """
        restore(self._state(), state, f"a network of {len(self.flat)} parameters")
