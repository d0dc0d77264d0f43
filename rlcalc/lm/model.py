"""A transformer of a few thousand parameters.

Pre-norm blocks of causal attention and a layer of ReLUs; learned positions; no
dropout, so that a token has one probability. Attention is written out:
libraries pick other kernels with and without gradients, and the first ratio
of an update is exactly 1 only if both are one computation. Source: Vaswani et
al., arXiv:1706.03762; the layout is GPT-2's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from rlcalc.training.layers import Linear

_FAR = -1e9  # a logit of attention to what comes later


class Block(nn.Module):
    """x + attention(x), then x + layer(x)."""

    later: Tensor

    def __init__(self, context: int, width: int, heads: int, depth: int, generator: torch.Generator) -> None:
        super().__init__()
        self.heads = heads
        small = 1 / math.sqrt(2 * depth)  # what a block adds, so that a deep sum does not grow
        self.before_attention, self.before_layer = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = linear(width, 3 * width, 1.0, generator)
        self.gathered = linear(width, width, small, generator)
        self.layer = linear(width, 3 * width, 1.0, generator)
        self.narrowed = linear(3 * width, width, small, generator)
        self.register_buffer("later", torch.ones(context, context, dtype=torch.bool).triu(1), False)

    def forward(self, x: Tensor) -> Tensor:
        rows, length, width = x.shape
        parts = self.attention(self.before_attention(x)).view(rows, length, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # [rows, heads, length, width / heads]
        seen = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        seen = seen.masked_fill(self.later[:length, :length], _FAR).softmax(-1)
        x = x + self.gathered((seen @ value).transpose(1, 2).reshape(rows, length, width))
        grown = nn.functional.relu(self.layer(self.before_layer(x)))
        added: Tensor = self.narrowed(grown)
        return x + added


class Transformer(nn.Module):
    """Tokens [N, T] -> [N, T, outputs]; what stands at t has read the tokens up to t.

    Made on the CPU from its own generator and then moved, so that one seed
    gives one network on every device.

    Args:
        outputs: logits of the next token, or 1 for the value of a state.
    """

    def __init__(
        self, vocabulary: int, outputs: int, context: int, width: int, heads: int, depth: int, seed: int
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.meaning = nn.Parameter(torch.randn(vocabulary, width, generator=generator) * 0.5)
        self.place = nn.Parameter(torch.randn(context, width, generator=generator) * 0.1)
        self.blocks = nn.ModuleList(Block(context, width, heads, depth, generator) for _ in range(depth))
        self.last = nn.LayerNorm(width)
        self.head = linear(width, outputs, 0.1, generator)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.meaning[ids] + self.place[: ids.shape[1]]
        for block in self.blocks:
            x = block(x)
        out: Tensor = self.head(self.last(x))
        return out


def linear(inputs: int, outputs: int, gain: float, generator: torch.Generator) -> Linear:
    """A layer whose outputs are as large as its inputs to begin with, times a gain."""
    weight = torch.randn(outputs, inputs, generator=generator) * (gain / math.sqrt(inputs))
    return Linear(weight, torch.zeros(outputs))
