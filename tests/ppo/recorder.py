"""A CUDA graph's rules, kept on a CPU: what is recorded does not run, and what is replayed is memory alone.

`Recorder` writes down every operation below autograd with the very tensors
that it reads and writes. Replaying runs them again, without any of the Python
around them, so that a number that Python knew is repeated and a tensor that
Python put in the place of another is not. It refuses what a GPU would refuse:
waiting for the device, sizes that depend on data, copies from the host, and
random numbers of a generator that it was not told of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

aten = torch.ops.aten
WAITS = {aten._local_scalar_dense, aten.equal, aten.is_nonzero}
SIZED_BY_DATA = {aten.nonzero, aten.masked_select, aten._unique2, aten.repeat_interleave}
FROM_HOST = {aten.lift_fresh}
UNWRITTEN = {aten.empty, aten.empty_like, aten.empty_strided, aten.new_empty, aten.new_empty_strided}


class Refused(Exception):
    """A GPU could not record this."""


def refuse(func: Any, args: Any, kwargs: Any) -> None:
    """Raise what recording this operation on a GPU would end in."""
    packet = func.overloadpacket
    if packet in WAITS:
        raise Refused(f"{func} waits for the device")
    masks = packet in (aten.index, aten.index_put, aten.index_put_) and any(
        x is not None and x.dtype == torch.bool for x in args[1]
    )
    if packet in SIZED_BY_DATA or masks:
        raise Refused(f"{func} has a size that depends on data")
    if packet in FROM_HOST:
        raise Refused(f"{func} copies from the host")


class Recorder:
    """`rlcalc.ppo.run.capture.Graph` on a CPU."""

    def __init__(self, generators: Iterable[torch.Generator]) -> None:
        self.generators = list(generators)
        self.tape: list[tuple[Any, Any, Any, list[Any]]] = []
        self._inside: set[int] = set()
        self._saved: dict[int, tuple[Tensor, Tensor]] = {}

    def record(self, work: Callable[[], Any]) -> Any:
        states = [generator.get_state() for generator in self.generators]
        with _Tape(self):
            found = work()
        for tensor, content in self._saved.values():
            tensor.untyped_storage().copy_(content.untyped_storage())
        for generator, state in zip(self.generators, states, strict=True):
            generator.set_state(state)
        return found

    @torch.no_grad()
    def replay(self) -> None:
        for func, args, kwargs, before in self.tape:
            now = tree_flatten(func(*args, **kwargs))[0]
            for old, new in zip(before, now, strict=True):
                if isinstance(old, Tensor) and _place(old) != _place(new):
                    old.copy_(new)

    def note(self, func: Any, args: Any, kwargs: Any) -> Any:
        refuse(func, args, kwargs)
        names = [argument.name for argument in func._schema.arguments]
        given = dict(zip(names, args, strict=False)) | kwargs
        known = {generator._cdata for generator in self.generators}  # each call wraps it again
        if "generator" in names and getattr(given.get("generator"), "_cdata", None) not in known:
            raise Refused(f"{func} draws from a generator that is not registered")
        for argument in func._schema.arguments:
            if argument.alias_info is not None and argument.alias_info.is_write and argument.name in given:
                for tensor in tree_flatten(given[argument.name])[0]:
                    self._save(tensor)
        read = {_place(x) for x in tree_flatten((args, kwargs))[0] if isinstance(x, Tensor)}
        found = func(*args, **kwargs)
        leaves = tree_flatten(found)[0]
        writes = any(a.alias_info is not None and a.alias_info.is_write for a in func._schema.arguments)
        views = all(_place(x) in read for x in leaves if isinstance(x, Tensor)) and not writes
        self._inside |= {_place(x) for x in leaves if isinstance(x, Tensor)} - read
        if not views and func.overloadpacket not in UNWRITTEN:
            self.tape.append((func, args, kwargs, leaves))
        elif func.overloadpacket in UNWRITTEN:
            self.tape.append((_same, (found,), {}, leaves))  # keeps its memory from being given away
        return found

    def _save(self, tensor: Tensor) -> None:
        place = _place(tensor)
        if place not in self._inside and place not in self._saved:
            content = torch.empty(0, dtype=tensor.dtype)
            content.set_(tensor.untyped_storage().clone())
            self._saved[place] = (tensor, content)


def _same(x: Any) -> Any:
    return x


def _place(x: Tensor) -> int:
    return x.untyped_storage().data_ptr()


class _Tape(TorchDispatchMode):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return self.recorder.note(func, args, kwargs or {})


class NoHost(TorchDispatchMode):
    """Everything stays on one device, and nothing is asked of it.

    To be used with the device ``meta``, whose tensors have no content: what
    waits for a number fails there, and so does Torch itself where it would
    copy between a CPU and a GPU.
    """

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        refuse(func, args, kwargs or {})
        if func.overloadpacket is aten.exponential_:
            kwargs = {}  # which on this device cannot be given a generator
        found = func(*args, **(kwargs or {}))
        leaves = tree_flatten((args, kwargs, found))[0]
        for x in leaves:
            # a number of Python travels as a CPU tensor without axes, by value
            if isinstance(x, Tensor) and x.device.type == "cpu" and x.ndim:
                raise Refused(f"{func} has to do with a tensor [{', '.join(map(str, x.shape))}] of the host")
        return found
