"""Logits and labels of which the log-probabilities of answers are made, as models give them.

Row t of the logits predicts label t + 1: there is one row more than there are
log-probabilities, whose label is none of the terms.
"""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families.base import Unfit
from rlcalc.conform.binding.words.token_roles import NEVER

# outcomes of a token; logits are known but for a constant
OUTCOMES, ADDED = 3, 0.75
NO_LABEL = -100
# nearer to 0, nothing is left for the other outcomes
CERTAIN = -1e-9
# what is asked of a logarithm in single precision
LARGEST_LOG = 20.0


def labels(shape: tuple[int, ...]) -> Any:
    """The token of every place of a table."""
    return (np.arange(int(np.prod(shape))) * 2 % OUTCOMES).reshape(shape)


def marked_labels(mask: Any) -> Any:
    """Tokens, and −100 where nothing is learned from."""
    return np.where(mask, labels(np.shape(mask)), NO_LABEL)


def logits(logps: Any, mask: Any) -> Any:
    """Logits whose log-softmax at the token of each place is the number there; any under the mask.

    Raises:
        Unfit: a token that is certain, or as good as impossible.
    """
    asked = np.where(mask, logps, -1.0 - labels(np.shape(logps)) / 2)
    if (asked > CERTAIN).any() or (asked < -LARGEST_LOG).any():
        raise Unfit("a token that is certain or impossible has no logits here")
    others = np.log(-np.expm1(asked)) - np.log(OUTCOMES - 1)
    taken = labels(np.shape(logps))[..., None] == np.arange(OUTCOMES)
    return (np.where(taken, asked[..., None], others[..., None]) + ADDED).astype(np.asarray(logps).dtype)


def certain(zeros: Any) -> Any:
    """Logits of tokens that are certain: their entropy is 0."""
    return np.stack([zeros, zeros - NEVER], -1)


def one_before(table: Any, value: Any) -> Any:
    """A table of labels, or of flags, with the place before the first one that is predicted."""
    first = np.full_like(table[..., :1], value)
    return np.concatenate([first, table], -1)


def one_after(table: Any) -> Any:
    """Logits with a last row, which predicts nothing."""
    return np.concatenate([table, table[..., :1, ::-1]], -2)
