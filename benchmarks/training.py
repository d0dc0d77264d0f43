"""Torch forms of language-model training against plain PyTorch, as ratios of time and of memory.

    python benchmarks/training.py [--json FILE] [--rounds N] [--only WORDS] [--lines N]

Each line is a contest of a form with a plain way to write the same outputs, run in turns within one
process on one thread, so that whatever else the machine does hits both. The first ratio is ours / plain in
the least processor time of each side: below 1 we are faster; the goal is 1.3. The second is the median over
the pairs, with whatever else the machine did in it. The third figure is what the form allocates beyond its
inputs at its peak, less that of the plain way, in copies of the largest input; the goal is one. Both sides
must agree before they are timed. Plain ways choose by the mask, as the forms must: what is under it may be
nan. With ``--multiplied`` they multiply by it, which is faster and lets that through. Forms are called as a
trainer calls them: ``rlcalc.compute``, checks included.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import statistics
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # runs from a checkout as it is

import rlcalc

Tensors = dict[str, Any]
Plain = Callable[..., dict[str, Any]]


class Peak(TorchDispatchMode):
    """The most bytes that tensors made inside hold at one time; views count once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0
        self._users: dict[int, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        for tensor in found if isinstance(found, tuple | list) else (found,):
            if isinstance(tensor, torch.Tensor):
                self._count(tensor)
        return found

    def _count(self, tensor: Any) -> None:
        storage = tensor.untyped_storage()
        key, size = storage.data_ptr(), storage.nbytes()
        if not key:
            return
        if key not in self._users:
            self.now += size
            self.most = max(self.most, self.now)
        self._users[key] = self._users.get(key, 0) + 1
        weakref.finalize(tensor, self._drop, key, size)

    def _drop(self, key: int, size: int) -> None:
        self._users[key] -= 1
        if not self._users[key]:
            del self._users[key]
            self.now -= size


# --- plain PyTorch ------------------------------------------------------------------------------------


def aggregation(loss: Any, mask: Any) -> Tensors:
    weights = mask / mask.sum()
    return {"loss": torch.where(mask, loss, 0).sum() / mask.sum(), "weights": weights}


def clip(logp: Any, old_logp: Any, adv: Any) -> Tensors:
    ratio = torch.exp(logp - old_logp)
    plain = ratio * adv
    bounded = torch.clamp(ratio, 0.8, 1.2) * adv
    objective = torch.minimum(plain, bounded)
    held = bounded < plain
    return {
        "objective": objective,
        "d_logp": torch.where(held, 0, plain),
        "ratio": ratio,
        "clipped": held.float(),
    }


def k3(logp: Any, ref_logp: Any) -> Tensors:
    x = logp - ref_logp
    power = torch.expm1(-x)
    return {"estimate": power + x, "d_logp": -power}


def whiten(x: Any, mask: Any) -> Tensors:
    count = mask.sum()
    centred = torch.where(mask, x, 0)
    centred = torch.where(mask, centred - centred.sum() / count, 0)
    return {"whitened": centred * torch.rsqrt(centred.square().sum() / (count - 1))}


def rewards(score: Any, logp: Any, ref_logp: Any, mask: Any, beta: float) -> Tensors:
    found = torch.where(mask, -beta * (logp - ref_logp), 0)
    last = mask.shape[1] - 1 - mask.flip(1).int().argmax(1)
    rows = torch.arange(len(score))
    found[rows, last] += score
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
    near = old_values + torch.clamp(values - old_values, -0.5, 0.5)
    plain, clipped = values - returns, near - returns
    first, second = plain.square(), clipped.square()
    held = (second > first) & mask & ((values - old_values).abs() > 0.5)
    count = mask.sum()
    loss = 0.5 * torch.where(mask, torch.maximum(first, second), 0).sum() / count
    slopes = torch.where(mask & ~held, plain / count, 0)
    return {"loss": loss, "d_values": slopes, "clipped_fraction": held.sum() / count}


def gspo(logp: Any, old_logp: Any, adv: Any, mask: Any) -> Tensors:
    lengths = mask.sum(1)
    ratio = torch.exp(torch.where(mask, logp - old_logp, 0).sum(1) / lengths)
    plain, bounded = ratio * adv, torch.clamp(ratio, 1 - 3e-4, 1 + 4e-4) * adv
    objective = torch.minimum(plain, bounded)
    slope = torch.where(bounded < plain, 0, -plain / (len(adv) * lengths))
    return {
        "loss": -objective.mean(), "objective": objective, "ratio": ratio, "d_logp": slope[:, None] * mask,
    }  # fmt: skip


def cispo(logp: Any, old_logp: Any, adv: Any, low: float, high: float) -> Tensors:
    weights = torch.clamp(torch.exp(logp - old_logp), low, high)
    slopes = -weights * adv
    return {"losses": slopes * logp, "weights": weights, "d_logp": slopes}


def decoupled(logp: Any, prox_logp: Any, behav_logp: Any, adv: Any, cap: float) -> Tensors:
    weights = torch.exp(prox_logp - behav_logp).clamp(max=cap)
    found = clip(logp, prox_logp, adv)
    return {
        "objective": weights * found["objective"],
        "d_logp": weights * found["d_logp"],
        "weights": weights,
    }


def correction(train_logp: Any, rollout_logp: Any, mask: Any, high: float) -> Tensors:
    ratio = torch.exp(train_logp - rollout_logp).clamp(max=high)
    return {"weights": torch.where(mask, ratio, 0), "keep": mask.float()}


def group(rewards: Any, groups: Any) -> Tensors:
    table = rewards.reshape(-1, 16)
    return {"advantages": ((table - table.mean(1, keepdim=True)) / table.std(1, keepdim=True)).reshape(-1)}


def logprobs(logits: Any, ids: Any, temperature: float) -> Tensors:
    every = torch.log_softmax(logits[..., :-1, :] / temperature, -1)
    taken = ids[..., 1:, None]
    slopes = -every.exp()
    slopes.scatter_add_(-1, taken, torch.ones_like(taken, dtype=slopes.dtype))
    return {"logps": every.gather(-1, taken)[..., 0], "d_logits": slopes / temperature}


def entropy(logits: Any, temperature: float) -> Tensors:
    every = torch.log_softmax(logits / temperature, -1)
    chances = every.exp()
    found = -(chances * every).sum(-1)
    slopes = -chances * (every + found[..., None]) / temperature
    return {"entropy": found, "kept": torch.ones_like(every), "d_logits": slopes}


def cross_entropy(logits: Any, labels: Any) -> Tensors:
    flat = logits[:, :-1].reshape(-1, logits.shape[-1])
    loss = torch.nn.functional.cross_entropy(flat, labels[:, 1:].reshape(-1))
    return {"loss": loss, "count": (labels[:, 1:] != -100).sum().float()}


# --- the same, multiplied by the mask: nan and infinity under it go through ------------------------------


def aggregation_multiplied(loss: Any, mask: Any) -> Tensors:
    weights = mask.to(loss.dtype)
    weights /= weights.sum()
    return {"loss": torch.dot(loss.flatten(), weights.flatten()), "weights": weights}


def whiten_multiplied(x: Any, mask: Any) -> Tensors:
    number = mask.to(x.dtype)
    count = number.sum()
    centred = (x - (x * number).sum() / count).mul_(number)
    return {"whitened": centred.mul_(torch.rsqrt(centred.square().sum() / (count - 1)))}


def rewards_multiplied(score: Any, logp: Any, ref_logp: Any, mask: Any, beta: float) -> Tensors:
    found = (logp - ref_logp).mul_(-beta).mul_(mask.to(logp.dtype))
    last = mask.shape[1] - 1 - mask.flip(1).int().argmax(1)
    rows = torch.arange(len(score))
    found[rows, last] += score
    return {"rewards": found}


def correction_multiplied(train_logp: Any, rollout_logp: Any, mask: Any, high: float) -> Tensors:
    keep = mask.to(train_logp.dtype)
    ratio = (train_logp - rollout_logp).exp_().clamp_(max=high)
    return {"weights": ratio.mul_(keep), "keep": keep}


MULTIPLIED: dict[str, Plain] = {
    "loss_aggregation": aggregation_multiplied,
    "masked_whiten": whiten_multiplied,
    "token_rewards": rewards_multiplied,
    "rollout_correction": correction_multiplied,
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
    grouped = {"rewards": numbers(rows * 16), "groups": torch.arange(rows * 16) // 16}
    yield "group_advantage", group, grouped
    lines = (4, count // 4)
    logits = numbers(*lines, vocabulary)
    ids = torch.randint(0, vocabulary, lines, generator=chance)
    yield "token_logprobs", logprobs, {"logits": logits, "ids": ids, "temperature": 0.7}
    yield "token_entropy", entropy, {"logits": logits, "temperature": 0.7}
    labels = torch.where(torch.rand(*lines, generator=chance) < 0.5, ids, -100)
    yield "sft_loss", cross_entropy, {"logits": logits, "labels": labels}


def contest(name: str, plain: Plain, given: Tensors, rounds: int) -> dict[str, Any]:
    """Ratios of one form; both sides must agree first."""

    def ours() -> Tensors:
        return rlcalc.compute(name, **given)

    def theirs() -> Tensors:
        return plain(**given)

    wanted, found = theirs(), ours()
    for output, value in wanted.items():
        torch.testing.assert_close(found[output], value.to(found[output].dtype), rtol=2e-3, atol=2e-5)
    del wanted, found
    size = max(value.numel() * value.element_size() for value in given.values() if hasattr(value, "numel"))
    copies = (peak(ours) - peak(theirs)) / size
    pairs = [(timed(ours), timed(theirs)) for _ in range(rounds)]
    least = [min(side) for side in zip(*pairs, strict=True)]
    middle = statistics.median(ours / theirs for ours, theirs in pairs)
    return {
        "form": name,
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


def peak(call: Callable[[], Any]) -> float:
    with Peak() as meter:
        call()
    return meter.most


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--multiplied", action="store_true", help="plain ways that multiply by the mask")
    parser.add_argument("--only", default="")
    parser.add_argument("--lines", type=int, default=128, help="of logits; 4096 for the whole batch of four")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    keep_memory()
    found = []
    print(f"{'form':<24} time, ours/plain  median of pairs  memory, copies more")
    for name, plain, given in contests(64, 4096, 32768, asked.lines):
        if asked.multiplied and name not in MULTIPLIED:
            continue
        if asked.only in name:
            plain = MULTIPLIED[name] if asked.multiplied else plain
            found.append(contest(name, plain, given, asked.rounds))
            line = found[-1]
            print(f"{name:<24} {line['time']:>16}  {line['median']:>15}  {line['copies']:>19}", flush=True)
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
