"""Layers of the networks that are trained here."""

from __future__ import annotations

from torch import Tensor, nn


class Linear(nn.Module):
    """A linear layer from the weights it is given.

    Torch's own draws random ones from the global generator first, and its way
    around that loads half a second of machinery for symbolic shapes.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.contiguous())
        self.bias = None if bias is None else nn.Parameter(bias)

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.weight, self.bias)
