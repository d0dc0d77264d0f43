"""Nested lists: the shape that inputs, outputs and vectors have before they are arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any


def flatten(value: Any) -> Iterator[Any]:
    """Every entry of a nested list, in order; a scalar is its own only entry."""
    if not isinstance(value, list | tuple):
        yield value
        return
    for part in value:
        if isinstance(part, list | tuple):
            yield from flatten(part)
        else:
            yield part


def map_nested(function: Callable[..., Any], value: Any, *others: Any) -> Any:
    """The same nesting with ``function`` of every entry (and of those at its place in ``others``)."""
    if isinstance(value, list | tuple):
        return [map_nested(function, *parts) for parts in zip(value, *others, strict=True)]
    return function(value, *others)


def outline(value: Any) -> Any:
    """The nesting without the entries: two values are alike in shape when their outlines are equal."""
    return [outline(part) for part in value] if isinstance(value, list | tuple) else None


def shape(value: Any) -> tuple[int, ...]:
    """Lengths of a nested list, outermost first; ``()`` of a scalar.

    Raises:
        ValueError: the list is ragged.
    """
    if not isinstance(value, list | tuple):
        return ()
    inner = {shape(part) for part in value}
    if len(inner) > 1:
        raise ValueError(f"ragged list: its parts have the shapes {sorted(inner)}")
    return (len(value), *(inner.pop() if inner else ()))


def fold(entries: Iterable[Any], lengths: Sequence[int]) -> Any:
    """Entries in order, as nested lists of the given lengths: the inverse of ``flatten``."""
    source = iter(entries)

    def part(depth: int) -> Any:
        if depth == len(lengths):
            return next(source)
        return [part(depth + 1) for _ in range(lengths[depth])]

    return part(0)


def to_python(value: Any) -> Any:
    """Arrays, tensors and NumPy scalars as lists and Python numbers; everything else as it is."""
    if isinstance(value, list | tuple):
        return [to_python(part) for part in value]
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    return value.tolist() if hasattr(value, "tolist") else value
