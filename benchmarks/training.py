"""Torch forms of language-model training against plain PyTorch, as ratios of time and of memory.

    python benchmarks/training.py [--json FILE] [--rounds N] [--only WORDS] [--lines N]

Each line is a contest of a form with a plain way to write the same outputs, run in turns within one
process on one thread, so that whatever else the machine does hits both. The first ratio is ours / plain in
the least processor time of each side: below 1 we are faster; the goal is 1.3. The second is the median over
the pairs, with whatever else the machine did in it. The third figure is what the form allocates beyond its
inputs at its peak, less that of the plain way, in copies of the largest input; the goal is one. Both sides
must agree before they are timed. Where there are two plain ways the first keeps the rules that the form
keeps: nan and infinity under a mask change nothing, groups have any names and any order. The second has
fewer: it multiplies by the mask, or takes groups to lie in order. Forms are called as a trainer calls them:
``rlcalc.compute``, checks included.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import statistics
import sys
import time
import tracemalloc
import weakref
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, Self

import torch
from torch.utils._python_dispatch import TorchDispatchMode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # runs from a checkout as it is

import rlcalc

Tensors = dict[str, Any]
Plain = Callable[..., dict[str, Any]]


class Peak(TorchDispatchMode):
    """The most bytes that a call holds at one time beyond its inputs, in Torch and in NumPy."""

    def __init__(self, inputs: Iterable[Any]) -> None:
        super().__init__()
        self.now = self.most = 0
        self._users: dict[int, int] = {}
        self._inputs = {x.untyped_storage().data_ptr() for x in inputs if isinstance(x, torch.Tensor)}

    def __enter__(self) -> Self:
        tracemalloc.start()
        self._before = tracemalloc.get_traced_memory()[0]
        return super().__enter__()

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._look()
        tracemalloc.stop()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self._look()
        found = func(*args, **(kwargs or {}))
        for tensor in found if isinstance(found, tuple | list) else (found,):
            if isinstance(tensor, torch.Tensor):
                self._count(tensor)
        self._look()
        return found

    def _look(self) -> None:
        """What NumPy held at most since the last look, with what Torch holds, which has not changed since."""
        self.most = max(self.most, self.now + tracemalloc.get_traced_memory()[1] - self._before)
        tracemalloc.reset_peak()

    def _count(self, tensor: Any) -> None:
        storage = tensor.untyped_storage()
        key, size = storage.data_ptr(), storage.nbytes()
        if not key or key in self._inputs or not storage.resizable():  # the last is memory of NumPy
            return
        if key not in self._users:
            self.now += size
        self._users[key] = self._users.get(key, 0) + 1
        weakref.finalize(tensor, self._drop, key, size)

    def _drop(self, key: int, size: int) -> None:
        self._look()
        self._users[key] -= 1
        if not self._users[key]:
            del self._users[key]
            self.now -= size


# --- plain PyTorch: results into the memory of what is needed no more, chosen by the mask where there is one


def aggregation(loss: Any, mask: Any) -> Tensors:
    count = mask.sum()
    return {"loss": torch.where(mask, loss, 0).sum() / count, "weights": mask / count}


def clip(logp: Any, old_logp: Any, adv: Any) -> Tensors:
    ratio = torch.sub(logp, old_logp).exp_()
    plain = ratio * adv
    bounded = torch.clamp(ratio, 0.8, 1.2).mul_(adv)
    held = bounded < plain
    objective = torch.minimum(plain, bounded, out=bounded)
    return {
        "objective": objective, "d_logp": plain.masked_fill_(held, 0), "ratio": ratio,
        "clipped": held.view(torch.uint8).float(),
    }  # fmt: skip


def k3(logp: Any, ref_logp: Any) -> Tensors:
    x = logp - ref_logp
    slope = torch.expm1(-x).neg_()
    return {"estimate": x.sub_(slope), "d_logp": slope}


def whiten(x: Any, mask: Any) -> Tensors:
    count = mask.sum()
    centred = torch.where(mask, x, 0)
    centred = torch.where(mask, centred - centred.sum() / count, 0)
    return {"whitened": centred.mul_(torch.rsqrt(torch.linalg.vector_norm(centred).square() / (count - 1)))}


def rewards(score: Any, logp: Any, ref_logp: Any, mask: Any, beta: float) -> Tensors:
    return _scored(torch.where(mask, (logp - ref_logp).mul_(-beta), 0), score, mask)


def _scored(found: Any, score: Any, mask: Any) -> Tensors:
    last = mask.shape[1] - 1 - mask.flip(1).int().argmax(1)
    found[torch.arange(len(score)), last] += score
    return {"rewards": found}


def gae(rewards: Any, values: Any, mask: Any, gamma: float, lam: float) -> Tensors:
    """The loop of the trainers: a column at a time, masked ones passed on."""
    following = torch.zeros_like(values[:, 0])
    running = torch.zeros_like(following)
    columns = []
    for t in reversed(range(rewards.shape[1])):
        there = mask[:, t]
        delta = rewards[:, t] + gamma * following - values[:, t]
        running = torch.where(there, delta + gamma * lam * running, running)
        following = torch.where(there, values[:, t], following)
        columns.append(running)
    advantages = torch.where(mask, torch.stack(columns[::-1], 1), 0)
    return {"advantages": advantages, "returns": torch.where(mask, advantages + values, 0)}


def plus_plus(rewards: Any, mask: Any, gamma: float) -> Tensors:
    running = torch.zeros_like(rewards[:, 0])
    columns = []
    for t in reversed(range(rewards.shape[1])):
        running = torch.where(mask[:, t], rewards[:, t] + gamma * running, running)
        columns.append(running)
    returns = torch.where(mask, torch.stack(columns[::-1], 1), 0)
    return {"advantages": whiten(returns, mask)["whitened"], "returns": returns}


def value_loss(values: Any, old_values: Any, returns: Any, mask: Any) -> Tensors:
    near = (values - old_values).clamp_(-0.5, 0.5).add_(old_values)
    plain, clipped = values - returns, near.sub_(returns)
    held = (clipped.abs() > plain.abs()) & mask & ((values - old_values).abs_() > 0.5)
    count = mask.sum()
    errors = torch.maximum(plain.square(), clipped.square_(), out=clipped)
    loss = 0.5 * torch.where(mask, errors, 0).sum() / count
    slopes = torch.where(mask & ~held, plain / count, 0)
    return {"loss": loss, "d_values": slopes, "clipped_fraction": held.sum() / count}


def gspo(logp: Any, old_logp: Any, adv: Any, mask: Any) -> Tensors:
    lengths = mask.sum(1)
    return _gspo(torch.where(mask, logp - old_logp, 0), adv, mask, lengths)


def _gspo(gaps: Any, adv: Any, mask: Any, lengths: Any) -> Tensors:
    ratio = torch.exp(gaps.sum(1) / lengths)
    plain, bounded = ratio * adv, torch.clamp(ratio, 1 - 3e-4, 1 + 4e-4) * adv
    objective = torch.minimum(plain, bounded)
    slope = torch.where(bounded < plain, 0, -plain / (len(adv) * lengths))
    return {
        "loss": -objective.mean(), "objective": objective, "ratio": ratio, "d_logp": mask * slope[:, None],
    }  # fmt: skip


def cispo(logp: Any, old_logp: Any, adv: Any, low: float, high: float) -> Tensors:
    weights = torch.sub(logp, old_logp).exp_().clamp_(low, high)
    slopes = torch.mul(weights, adv).neg_()
    return {"losses": slopes * logp, "weights": weights, "d_logp": slopes}


def decoupled(logp: Any, prox_logp: Any, behav_logp: Any, adv: Any, cap: float) -> Tensors:
    weights = torch.sub(prox_logp, behav_logp).exp_().clamp_(max=cap)
    return _weighted(clip(logp, prox_logp, adv), weights)


def _weighted(found: Tensors, weights: Any) -> Tensors:
    return {
        "objective": found["objective"].mul_(weights), "d_logp": found["d_logp"].mul_(weights),
        "weights": weights,
    }  # fmt: skip


def correction(train_logp: Any, rollout_logp: Any, mask: Any, high: float) -> Tensors:
    ratio = torch.sub(train_logp, rollout_logp).exp_().clamp_(max=high)
    return {"weights": torch.where(mask, ratio, 0), "keep": mask.float()}


def group(rewards: Any, groups: Any) -> Tensors:
    """Whatever the groups are called and however they lie."""
    names, of = torch.unique(groups, return_inverse=True)
    zeros = rewards.new_zeros(len(names))
    count = zeros.index_add(0, of, torch.ones_like(rewards))
    centred = rewards - (zeros.index_add(0, of, rewards) / count)[of]
    variance = zeros.index_add(0, of, centred.square()) / (count - 1)
    return {"advantages": centred.mul_(variance.rsqrt_()[of])}


def logprobs(logits: Any, ids: Any, temperature: float) -> Tensors:
    every = torch.log_softmax(logits[..., :-1, :] / temperature, -1)
    taken = ids[..., 1:, None]
    logps = every.gather(-1, taken)[..., 0]
    slopes = every.exp_().neg_()
    slopes.scatter_add_(-1, taken, torch.ones_like(taken, dtype=slopes.dtype))
    return {"logps": logps, "d_logits": slopes.div_(temperature)}


def entropy(logits: Any, temperature: float) -> Tensors:
    every = torch.log_softmax(logits / temperature, -1)
    chances = every.exp()
    found = -(chances * every).sum(-1)
    slopes = every.add_(found[..., None]).mul_(chances).div_(-temperature)
    return {"entropy": found, "kept": torch.ones_like(every), "d_logits": slopes}


def cross_entropy(logits: Any, labels: Any) -> Tensors:
    flat = logits[:, :-1].reshape(-1, logits.shape[-1])
    loss = torch.nn.functional.cross_entropy(flat, labels[:, 1:].reshape(-1))
    return {"loss": loss, "count": (labels[:, 1:] != -100).sum().float()}


# --- the same with fewer rules: what is multiplied by 0 or 1 instead of chosen lets nan and infinity through,
# --- and groups of one size that lie in order need no names


def aggregation_multiplied(loss: Any, mask: Any) -> Tensors:
    weights = mask.to(loss.dtype)
    weights /= weights.sum()
    return {"loss": torch.dot(loss.flatten(), weights.flatten()), "weights": weights}


def clip_multiplied(logp: Any, old_logp: Any, adv: Any) -> Tensors:
    ratio = torch.sub(logp, old_logp).exp_()
    plain = ratio * adv
    bounded = torch.clamp(ratio, 0.8, 1.2).mul_(adv)
    clipped = torch.lt(bounded, plain, out=torch.empty_like(plain))
    objective = torch.minimum(plain, bounded, out=bounded)
    slope = torch.addcmul(plain, plain, clipped, value=-1, out=plain)
    return {"objective": objective, "d_logp": slope, "ratio": ratio, "clipped": clipped}


def decoupled_multiplied(logp: Any, prox_logp: Any, behav_logp: Any, adv: Any, cap: float) -> Tensors:
    weights = torch.sub(prox_logp, behav_logp).exp_().clamp_(max=cap)
    return _weighted(clip_multiplied(logp, prox_logp, adv), weights)


def whiten_multiplied(x: Any, mask: Any) -> Tensors:
    number = mask.to(x.dtype)
    count = number.sum()
    centred = (x - torch.dot(x.flatten(), number.flatten()) / count).mul_(number)
    return {"whitened": centred.mul_(torch.rsqrt(torch.linalg.vector_norm(centred).square() / (count - 1)))}


def rewards_multiplied(score: Any, logp: Any, ref_logp: Any, mask: Any, beta: float) -> Tensors:
    return _scored((logp - ref_logp).mul_(-beta).mul_(mask.to(logp.dtype)), score, mask)


def value_loss_multiplied(values: Any, old_values: Any, returns: Any, mask: Any) -> Tensors:
    number = mask.to(values.dtype)
    count = number.sum()
    moved = values - old_values
    second = moved.clamp(-0.5, 0.5).add_(old_values).sub_(returns).square_()
    outside = torch.gt(moved.abs_(), 0.5, out=moved)
    plain, first = values - returns, (values - returns).square_()
    held = torch.gt(second, first, out=torch.empty_like(plain)).mul_(outside).mul_(number)
    loss = 0.5 * torch.dot(torch.maximum(first, second, out=second).flatten(), number.flatten()) / count
    slopes = plain.mul_(number.sub_(held)).div_(count)
    return {"loss": loss, "d_values": slopes, "clipped_fraction": held.sum() / count}


def gspo_multiplied(logp: Any, old_logp: Any, adv: Any, mask: Any) -> Tensors:
    number = mask.to(logp.dtype)
    return _gspo((logp - old_logp).mul_(number), adv, number, number.sum(1))


def correction_multiplied(train_logp: Any, rollout_logp: Any, mask: Any, high: float) -> Tensors:
    keep = mask.to(train_logp.dtype)
    ratio = torch.sub(train_logp, rollout_logp).exp_().clamp_(max=high)
    return {"weights": ratio.mul_(keep), "keep": keep}


def group_in_order(rewards: Any, groups: Any) -> Tensors:
    table = rewards.reshape(64, -1)
    centred = table - table.mean(1, keepdim=True)
    norm = torch.linalg.vector_norm(centred, dim=1, keepdim=True)
    return {"advantages": centred.div_(norm.div_((table.shape[1] - 1) ** 0.5)).reshape(-1)}


FEWER_RULES: dict[str, Plain] = {
    "loss_aggregation": aggregation_multiplied,
    "policy_clip": clip_multiplied,
    "decoupled_ppo": decoupled_multiplied,
    "masked_whiten": whiten_multiplied,
    "token_rewards": rewards_multiplied,
    "value_clip_loss": value_loss_multiplied,
    "gspo": gspo_multiplied,
    "rollout_correction": correction_multiplied,
    "group_advantage": group_in_order,
}


# --- the contests ---------------------------------------------------------------------------------------


def contests(rows: int, width: int, vocabulary: int, count: int) -> Iterator[tuple[str, Plain, Tensors]]:
    chance = torch.Generator().manual_seed(1)

    def numbers(*shape: int) -> Any:
        return torch.randn(*shape, generator=chance)

    def log_probs(*shape: int) -> Any:
        return -torch.rand(*shape, generator=chance)

    table, flat = (rows, width), (rows * width,)
    mask = torch.rand(*table, generator=chance) < 0.9
    yield "loss_aggregation", aggregation, {"loss": numbers(*table), "mask": mask}
    clipped = {"logp": log_probs(*flat), "old_logp": log_probs(*flat), "adv": numbers(*flat)}
    yield "policy_clip", clip, clipped
    yield "kl_estimate", k3, {"logp": log_probs(*flat), "ref_logp": log_probs(*flat)}
    yield "masked_whiten", whiten, {"x": numbers(*table), "mask": mask}
    scored = {"score": numbers(rows), "logp": log_probs(*table), "ref_logp": log_probs(*table), "mask": mask}
    yield "token_rewards", rewards, {**scored, "beta": 0.1}
    walked = {"rewards": numbers(*table), "values": numbers(*table), "mask": mask, "gamma": 0.99, "lam": 0.95}
    yield "token_gae", gae, walked
    yield "reinforce_pp_advantage", plus_plus, {"rewards": numbers(*table), "mask": mask, "gamma": 0.99}
    critic = {name: numbers(*table) for name in ("values", "old_values", "returns")}
    yield "value_clip_loss", value_loss, {**critic, "mask": mask}
    answers = {"logp": log_probs(*table), "old_logp": log_probs(*table), "adv": numbers(rows), "mask": mask}
    yield "gspo", gspo, answers
    yield "cispo", cispo, {**clipped, "low": 0.8, "high": 1.2}
    three = {name: log_probs(*flat) for name in ("logp", "prox_logp", "behav_logp")}
    yield "decoupled_ppo", decoupled, {**three, "adv": numbers(*flat), "cap": 2.0}
    engines = {"train_logp": log_probs(*table), "rollout_logp": log_probs(*table), "mask": mask, "high": 2.0}
    yield "rollout_correction", correction, engines
    for size in (16, 64, width):  # answers to each of so many prompts
        groups = torch.arange(rows).repeat_interleave(size)
        yield "group_advantage", group, {"rewards": numbers(rows * size), "groups": groups}
    lines = (4, count // 4)
    logits = numbers(*lines, vocabulary)
    ids = torch.randint(0, vocabulary, lines, generator=chance)
    yield "token_logprobs", logprobs, {"logits": logits, "ids": ids, "temperature": 0.7}
    yield "token_entropy", entropy, {"logits": logits, "temperature": 0.7}
    labels = torch.where(torch.rand(*lines, generator=chance) < 0.5, ids, -100)
    yield "sft_loss", cross_entropy, {"logits": logits, "labels": labels}


def contest(name: str, plain: Plain, given: Tensors, rounds: int) -> dict[str, Any]:
    """Ratios of one form to a plain way; both sides must agree first."""

    def ours() -> Tensors:
        return rlcalc.compute(name, **given)

    def theirs() -> Tensors:
        return plain(**given)

    wanted, found = theirs(), ours()
    for output, value in wanted.items():
        torch.testing.assert_close(found[output], value.to(found[output].dtype), rtol=2e-3, atol=2e-5)
    del wanted, found
    size = max(value.numel() * value.element_size() for value in given.values() if hasattr(value, "numel"))
    copies = (peak(ours, given) - peak(theirs, given)) / size
    pairs = [(timed(ours), timed(theirs)) for _ in range(rounds)]
    least = [min(side) for side in zip(*pairs, strict=True)]
    middle = statistics.median(ours / theirs for ours, theirs in pairs)
    return {
        "numbers": max(value.numel() for value in given.values() if hasattr(value, "numel")),
        "plain": plain.__name__,
        "time": round(least[0] / least[1], 2),
        "median": round(middle, 2),
        "plain_us": round(1e6 * least[1]),
        "copies": round(copies, 2),
    }


def keep_memory() -> None:
    """Freed memory stays with the process (glibc): it is the work that is timed, not the zeroing of pages."""
    with contextlib.suppress(OSError, AttributeError):
        for option in (-1, -3):  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
            ctypes.CDLL(None).mallopt(option, 1 << 30)


def timed(call: Callable[[], Any]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def peak(call: Callable[[], Any], given: Tensors) -> float:
    for _ in range(2):  # of a first time the memory holds what was imported for it
        with Peak(given.values()) as meter:
            call()
    return meter.most


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", default="")
    parser.add_argument("--lines", type=int, default=128, help="of logits; 4096 for the whole batch of four")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    keep_memory()
    found: list[dict[str, Any]] = []
    print(f"{'form':<23} {'plain way':<23} time, ours/plain  median of pairs  memory, copies more")
    for name, same_rules, given in contests(64, 4096, 32768, asked.lines):
        ways = [same_rules, FEWER_RULES[name]] if name in FEWER_RULES else [same_rules]
        for plain in ways if asked.only in name else ():
            line = contest(name, plain, given, asked.rounds)
            found.append({"form": name, **line})
            figures = f"{line['time']:>16}  {line['median']:>15}  {line['copies']:>19}"
            print(f"{name:<23} {line['plain']:<23} {figures}", flush=True)
    if asked.json:
        record = {
            "date": date.today().isoformat(),
            "torch": torch.__version__,
            "pairs": asked.rounds,
            "lines": asked.lines,
            "forms": found,
        }
        Path(asked.json).write_text(json.dumps(record, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
