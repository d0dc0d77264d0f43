"""The one recurrence of all returns: x_t = b_t + a_t·x_{t+1}.

Discounted return, λ-return and GAE are this line with their own b and a; the
n-step return is the same line cut into windows. It stands here once for NumPy
and once for Torch, and all speed work happens here.

**How it is fast.** Step t after step t+1 is the affine map x -> b + a·x, and maps compose:

    b_t + a_t·(b_{t+1} + a_{t+1}·x)  =  (b_t + a_t·b_{t+1})  +  (a_t·a_{t+1})·x

So neighbours are paired, the half as long recurrence over the even steps is
solved the same way, and one multiply-add gives the odd steps (cyclic reduction;
Blelloch, "Prefix sums and their applications", 1990, §1.4): O(T) work in O(log T)
whole-array operations, with no Python loop over time, no transposed copies, no
division and no subtraction.

On a CPU the work goes through slabs that stay in cache, and the rows of a slab
are joined into *one* sequence whose a is 0 where a row ends: inner loops are
then long even when T is short. Views of time-major memory take another way,
`time_major`, and large problems the plain loop, compiled, where numba is
installed (the extra ``fast``): `compiled`.

**What a cut means.** a_t = 0 gives x_t = b_t, whatever comes after it. A slab of
finite numbers gets this from arithmetic. 0·∞ would break it, but a non-finite
value always reaches the first element of the slab, so one look at that element
is the whole check; such a slab is redone one step at a time by `one_by_one`,
which also is the readable definition. Limits, all of them documented here:

- tensors that are not on a CPU are not looked at (that would stall the device):
  there a NaN or ∞ turns the earlier steps *of its own row* into NaN, cuts or not,
  and so does a product of many |a| > 1 that overflows;
- a product of a's that underflows counts as 0: what is lost is below
  |x| times the smallest positive float of the working precision;
- the sign of a zero is not kept.

Half precision is computed in float32 and rounded once, at the end.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from rlcalc._lazy import np, torch
from rlcalc.backends import is_tensor
from rlcalc.recurrence import compiled, slabs, time_major, traced
from rlcalc.recurrence.arrays import prepare_numpy, prepare_torch, window_length

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]


def one_by_one(b: Sequence[float], a: Sequence[float], last: float) -> list[float]:
    """x_t = b_t + a_t·x_{t+1}, t = T-1..0, literally; a_t = 0 hides what comes after it, NaN and ∞ too."""
    x, backwards = last, []
    for b_t, a_t in zip(reversed(b), reversed(a), strict=True):
        x = b_t + a_t * x if a_t else b_t
        backwards.append(x)
    return backwards[::-1]


# --- NumPy ---------------------------------------------------------------------------------------------


def scan_numpy(b: Any, a: Any, last: Any = 0.0) -> Array:
    """x_t = b_t + a_t·x_{t+1} for t = T-1..0, with x_T = last.

    Args:
        b: [..., T], what each step adds.
        a: scalar or broadcastable with b; a_t = 0 cuts: x_t is b_t, whatever comes after.
        last: scalar or [...], x_T.

    Returns:
        [..., T] in the common broadcast shape, a new array: C-contiguous, or time-major if b is and
        has long rows. The dtype is that of the floating arrays among the arguments; scalars, 0-d
        arrays, integers and booleans do not promote it (float64 if no floating array is given). No
        input is modified. No floating-point warnings: ∞ and NaN stand in the result where they belong.

    Raises:
        InputError: b has no time axis, the shapes do not broadcast, or a dtype is not real.
    """
    dtype, (b, a), last = prepare_numpy(b, a, last=last)
    working = np.result_type(dtype, np.float32)
    if compiled.suits(b, working):
        compiled_result: Array = compiled.scan_numpy(b, a, last, working).astype(dtype, copy=False)
        return compiled_result
    if b.size and time_major.suits(b, a):
        with np.errstate(all="ignore"):
            result: Array = time_major.scan_numpy(b, a, last, dtype, working)
        return result
    out = np.empty(b.shape, dtype)
    if out.size == 0:
        return out
    steps = b.shape[-1]
    b, a, x = b.reshape(-1, steps), a.reshape(-1, steps), out.reshape(-1, steps)
    carry = last.reshape(-1).astype(working)
    with np.errstate(all="ignore"):
        for rows, span in slabs.cut(len(b), steps, slabs.SLAB):
            slab = b[rows, span].astype(working, order="C")
            factors = a[rows, span].astype(working, order="C")
            slab[:, -1] += factors[:, -1] * carry[rows]
            factors[:, -1] = 0  # no row sees the next one
            _solve_numpy(slab.reshape(-1), factors.reshape(-1))
            if not np.isfinite(slab[0, 0]):
                given = zip(b[rows, span].tolist(), a[rows, span].tolist(), carry[rows].tolist(), strict=True)
                slab[:] = [one_by_one(*row) for row in given]
            x[rows, span] = slab
            carry[rows] = slab[:, 0]
    return out


def _solve_numpy(b: Array, a: Array) -> None:
    """Replace b [T] by x [T], where x_T = 0."""
    steps = len(b)
    if steps < 2:
        return
    odd_one_out = steps % 2  # x_0 is left for the end
    b_even, b_odd = b[odd_one_out::2], b[odd_one_out + 1 :: 2]
    a_even, a_odd = a[odd_one_out::2], a[odd_one_out + 1 :: 2]
    x_even = a_even * b_odd
    x_even += b_even
    _solve_numpy(x_even, a_even * a_odd)
    b_even[:] = x_even
    b_odd[:-1] += a_odd[:-1] * x_even[1:]
    if odd_one_out:
        b[0] += a[0] * b[1]


def windows_numpy(b: Any, a: Any, c: Any, n: int) -> Array:
    """x_t = b_t + a_t·(b_{t+1} + … a_m·c_m), m = min(t+n, T)-1, for t = 0..T-1: n steps, closed on c.

    Args:
        b, a: as in `scan_numpy`.
        c: scalar or broadcastable with b; c_t is the value of the state *after* step t.
        n: the most steps in a window, at least 1; more than T acts as T.

    Returns:
        [..., T], shape and dtype as in `scan_numpy`. O(T·log n): maps of 1, 2, 4, … steps are composed, and
        those that add up to n applied to c. A cut hides NaN and ∞. No window's product of a's may overflow.

    Raises:
        InputError: as `scan_numpy`, or n is not an integer of at least 1.
    """
    dtype, (b, a, c), _ = prepare_numpy(b, a, c)
    if b.size == 0:
        return np.empty(b.shape, dtype)
    n = window_length(n, b.shape[-1])
    working = np.result_type(dtype, np.float32)
    zero = np.zeros((), working)

    def compose(b: Array, a: Array, c: Array) -> Array:
        b, a = b.astype(working), a.astype(working)  # maps of `length` steps from here on, starting with 1
        beyond = c[..., -1:].astype(working)
        x = np.concatenate((c[..., :1], c[..., :-1]), axis=-1).astype(working)  # closed after 0 steps
        length = 1
        while True:
            if n & length:
                later = np.concatenate((x[..., length:], np.repeat(beyond, length, axis=-1)), axis=-1)
                x = b + np.where(a == 0, zero, a * later)
            if 2 * length > n:
                return x.astype(dtype, copy=False)
            first, second = a[..., :-length], a[..., length:]
            b[..., :-length] += np.where(first == 0, zero, first * b[..., length:])
            first *= second  # NumPy copies where the two overlap
            length *= 2

    with np.errstate(all="ignore"):
        x: Array = slabs.by_slabs(compose, b, a, c)
    return x


# --- Torch ---------------------------------------------------------------------------------------------


def scan_torch(b: torch.Tensor, a: Any, last: Any = 0.0, *, _joined: bool | None = None) -> torch.Tensor:
    """x_t = b_t + a_t·x_{t+1} for t = T-1..0, with x_T = last; differentiable in b, a and last.

    The derivative is the same recurrence run forwards (the adjoint method): for g_t = ∂L/∂x_t,

        y_t = g_t + a_{t-1}·y_{t-1}, t = 0..T-1, y_{-1} = 0
        ∂L/∂b_t = y_t,  ∂L/∂a_t = y_t·x_{t+1},  ∂L/∂last = a_{T-1}·y_{T-1}

    and it is written with this function, so derivatives of every order exist. Forward mode (jvp) is

        ẋ_t = ḃ_t + ȧ_t·x_{t+1} + a_t·ẋ_{t+1}.

    Args:
        b: [..., T].
        a: number, or tensor broadcastable with b.
        last: number, or tensor [...].
        _joined: for tests. True: through NumPy, the CPU's way. False: rows kept apart, without a look at
            any value, the way of every other device.

    Returns:
        [..., T] in the common broadcast shape, on b's device. The dtype is that of the floating tensors
        with at least one axis; numbers and 0-d tensors do not promote it. Works under `torch.func.vmap` and
        in one graph of `torch.compile`.

    Raises:
        InputError: b has no time axis, the shapes do not broadcast, or a dtype is not real.
    """
    (b, a), last = prepare_torch(b, a, last=last)
    if b.numel() == 0:
        return torch.add(b, a)  # empty, and part of the graph
    if torch.compiler.is_compiling() or traced.any_of_an_old_batch(b, a, last):
        return traced.solved(b, a, last)
    if _joined is None:
        _joined = b.device.type == "cpu"
    x: torch.Tensor = _differentiable_scan()(b, a, last, _joined)
    return x


@cache
def _differentiable_scan() -> Callable[..., Any]:
    """Made on first use, since its base class needs Torch."""

    class Scan(torch.autograd.Function):
        @staticmethod
        def forward(b: torch.Tensor, a: torch.Tensor, last: torch.Tensor, joined: bool) -> torch.Tensor:
            return _scan_torch(b, a, last, joined)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
            _, a, last, ctx.joined = inputs
            ctx.save_for_backward(a, last, output)
            ctx.save_for_forward(a, last, output)

        @staticmethod
        def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
            a, last, x = ctx.saved_tensors
            like = time_major.like
            if ctx.joined and not torch.is_grad_enabled() and not traced.any_of_an_old_batch(grad):
                y = _adjoint_on_a_cpu(like(x, grad), a)
            else:
                from_the_past = like(x, a[..., :-1].flip(-1), torch.zeros_like(a[..., :1]))
                y = scan_torch(like(x, grad.flip(-1)), from_the_past, _joined=ctx.joined).flip(-1)
            grad_a = grad_last = None
            if ctx.needs_input_grad[1]:
                grad_a = y * like(x, x[..., 1:], last[..., None])
            if ctx.needs_input_grad[2]:
                grad_last = a[..., -1] * y[..., -1]
            return y, grad_a, grad_last, None

        @staticmethod
        def jvp(ctx: Any, b_dot: Any, a_dot: Any, last_dot: Any, _: Any) -> torch.Tensor:
            # the product rule on the line itself: the same recurrence, with another b
            a, last, x = ctx.saved_tensors
            added = torch.zeros_like(x) if b_dot is None else b_dot
            if a_dot is not None:
                added = added + a_dot * time_major.like(x, x[..., 1:], last[..., None])
            after = torch.zeros_like(last) if last_dot is None else last_dot
            return scan_torch(added, a, after, _joined=ctx.joined)

        @staticmethod
        def vmap(info: Any, in_dims: tuple[int | None, ...], *inputs: Any) -> tuple[torch.Tensor, int]:
            # Any leading axes are a batch already, so vmap's axis only has to lead.
            *tensors, joined = inputs
            led = [
                x.expand(info.batch_size, *x.shape) if axis is None else x.movedim(axis, 0)
                for x, axis in zip(tensors, in_dims, strict=False)
            ]
            x: torch.Tensor = apply(*led, joined)
            return x, 0

    apply: Callable[..., Any] = Scan.apply
    return apply


def _scan_torch(b: torch.Tensor, a: torch.Tensor, last: torch.Tensor, joined: bool) -> torch.Tensor:
    """`scan_torch` for prepared tensors, b and a [..., T] and last [...], without derivatives."""
    if joined:
        return _on_a_cpu(b, a, last)

    def copied(x: torch.Tensor) -> torch.Tensor:
        working = torch.promote_types(b.dtype, torch.float32)
        return x.to(working, copy=True, memory_format=torch.contiguous_format)

    x, factors = copied(b), copied(a)
    x[..., -1].addcmul_(factors[..., -1], last)
    factors[..., -1].zero_()
    _solve_torch(x, factors)
    return x.to(b.dtype)


def _on_a_cpu(b: torch.Tensor, a: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    """Through the memory as NumPy sees it: nothing is copied, and there is one fast way to keep."""
    return torch.from_numpy(scan_numpy(*_as_numpy(b, a, last))).to(b.dtype)


def _adjoint_on_a_cpu(grad: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
    """y_t = g_t + a_{t-1}·y_{t-1}: the recurrence on views of time reversed, without derivatives."""
    g, factors = _as_numpy(grad, a)
    y = np.empty_like(g)
    y[..., 0] = g[..., 0]
    y[..., :0:-1] = scan_numpy(g[..., :0:-1], factors[..., -2::-1], g[..., 0])
    return torch.from_numpy(y).to(grad.dtype)


def _as_numpy(*tensors: torch.Tensor) -> list[Array]:
    """NumPy has no bfloat16; like all half precision it is computed in float32 and rounded once."""
    working = torch.promote_types(tensors[0].dtype, torch.float32)
    return [x.detach().to(working).numpy() for x in tensors]


def _solve_torch(b: torch.Tensor, a: torch.Tensor) -> None:
    """Replace b [..., T] by x [..., T], where x_T = 0."""
    steps = b.shape[-1]
    if steps < 2:
        return
    odd_one_out = steps % 2  # x_0 is left for the end
    b_even, b_odd = b[..., odd_one_out::2], b[..., odd_one_out + 1 :: 2]
    a_even, a_odd = a[..., odd_one_out::2], a[..., odd_one_out + 1 :: 2]
    x_even = b_even.addcmul(a_even, b_odd)
    _solve_torch(x_even, a_even * a_odd)
    b_even.copy_(x_even)
    b_odd[..., :-1].addcmul_(a_odd[..., :-1], x_even[..., 1:])
    if odd_one_out:
        b[..., 0].addcmul_(a[..., 0], b[..., 1])


def windows_torch(b: torch.Tensor, a: Any, c: Any, n: int) -> torch.Tensor:
    """`windows_numpy` for tensors: same formula, shapes and errors; dtype and device as in `scan_torch`.

    Differentiable in b, a and c, to every order, by plain operations; nothing is looked at on the host.
    """
    (b, a, c), _ = prepare_torch(b, a, c)
    if b.numel() == 0:
        return torch.add(b, a)
    dtype, n = b.dtype, window_length(n, b.shape[-1])
    b, a, c = (x.to(torch.promote_types(dtype, torch.float32)) for x in (b, a, c))
    x, beyond = torch.cat((c[..., :1], c[..., :-1]), -1), c[..., -1:]

    def product(a: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        # a = 0 hides a non-finite x; a finite one stays, since the derivative by a needs it.
        return torch.mul(a, x.masked_fill((a == 0) & ~x.isfinite(), 0.0))

    length = 1
    while True:  # b and a are the maps of `length` steps
        if n & length:
            tail = beyond.expand(*beyond.shape[:-1], length)
            x = b + product(a, torch.cat((x[..., length:], tail), -1))
        if 2 * length > n:
            return x.to(dtype)
        longer = b[..., :-length] + product(a[..., :-length], b[..., length:])
        b = torch.cat((longer, b[..., -length:]), -1)
        a = torch.cat((a[..., :-length] * a[..., length:], a[..., -length:]), -1)
        length *= 2


# --- both ----------------------------------------------------------------------------------------------


def scan(b: Any, a: Any, last: Any = 0.0) -> Any:
    """``scan_torch`` of a tensor b, ``scan_numpy`` of anything else."""
    return scan_torch(b, a, last) if is_tensor(b) else scan_numpy(b, a, last)


def windows(b: Any, a: Any, c: Any, n: int) -> Any:
    """``windows_torch`` of a tensor b, ``windows_numpy`` of anything else."""
    return windows_torch(b, a, c, n) if is_tensor(b) else windows_numpy(b, a, c, n)
