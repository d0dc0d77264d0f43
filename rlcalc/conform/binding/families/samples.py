"""Formulas of samples and of distributions: ratios or log-probabilities, values, probabilities or logits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.binding.families.base import PLAIN, Arrays, Family, Unfit, flagged, in_order, ways
from rlcalc.conform.binding.model import Binding
from rlcalc.conform.target.policies import is_policy

LAYOUTS = (("[...]", "array"), ("[N]", "array"), ("[B, N]", "array"), ("[N]", "list"))
# all samples in one row, where each has a row of logits
IN_ONE_ROW = "[B * N]"
# e to this is as much as a ratio of probabilities is asked to be, where it is made of logarithms
LARGEST_LOG = 20.0
WIDE = 100.0
# of the squared error of one critic, what is left for each of two: 9/25 and 16/25 of it
OF_TWO = {"values_1": 0.6, "values_2": 0.8}
# places that only a loss of squared errors is known to be right in
OF_SQUARES = frozenset({*OF_TWO, "weights"})


class Samples(Family):
    """Inputs with one entry per sample: ``ppo_clip``, ``ratio``, ``critic_loss``."""

    def __init__(self, formula: str) -> None:
        self.formula = formula
        self.main = "returns" if formula == "critic_loss" else "adv" if formula == "ppo_clip" else ""

    def arrange(self, binding: Binding, given: Mapping[str, Any]) -> Arrays:
        """Values by place."""
        like = self._like(given)
        if binding.form == "list" and like.ndim > 1:
            raise Unfit("one list of samples a call")
        return {path: self._value(binding, given, role, like) for path, role in binding.meant.items()}

    def _like(self, given: Mapping[str, Any]) -> Any:
        names = [self.main] if self.main else ["new_log", "new"]
        return next(np.asarray(given[name]) for name in names if given.get(name) is not None)

    def _value(self, binding: Binding, given: Mapping[str, Any], role: str, like: Any) -> Any:
        if role in PLAIN:
            return PLAIN[role]
        kind = like.dtype
        match role:
            case "eps":
                if np.ndim(given["eps"]):
                    raise Unfit("one eps a call")
                return float(given["eps"])
            case "wide":
                return WIDE
            case "zero":
                return 0.0
            case "valid":
                return lay(binding, flagged(binding, np.ones(like.shape, bool), kind))
            case "observations":
                return lay(binding, np.zeros(like.shape, kind))
            case "values" | "old_values":
                return lay(binding, self._critics(binding, given, 1.0).astype(kind))
            case "values_1" | "values_2":
                return lay(binding, self._critics(binding, given, OF_TWO[role]).astype(kind))
            case "weights":
                return lay(binding, self._weights(like).astype(kind))
            case "ratio" | "adv" | "returns" | "new" | "old":
                if given.get(role) is None:
                    raise Unfit(f"no place for the logarithms of {role}" if self.formula == "ratio" else role)
                return lay(binding, np.broadcast_to(given[role], like.shape).astype(kind))
        before, after = self._logs(given, like)
        if any(map(is_policy, binding.inputs)) and after.size:  # of an action, so that neither is above 0
            before, after = (part - max(0.0, after.max()) for part in (before, after))
        found = {
            "new_log": after,
            "old_log": before,
            "new_neg": -after,
            "old_neg": -before,
            "log_ratio": after - before,
            "minus_log_ratio": before - after,
        }
        if role not in found:
            raise Unfit(f"nothing is known of the role {role}")
        return lay(binding, found[role].astype(kind))

    def _critics(self, binding: Binding, given: Mapping[str, Any], share: float) -> Any:
        """Values of a critic, so much nearer to the returns that weights and a second critic add up."""
        returns = np.asarray(given["returns"])
        values = np.broadcast_to(given["values"], returns.shape)
        if share == 1.0 and "weights" not in binding.roles:
            return values
        weights = np.sqrt(self._weights(returns)) if "weights" in binding.roles else 1.0
        return returns + share * (values - returns) / weights

    @staticmethod
    def _weights(like: Any) -> Any:
        """Weights of samples that differ, each the square of a number without rounding."""
        return np.asarray((1.0, 4.0, 0.25))[np.arange(like.size) % 3].reshape(like.shape)

    def _logs(self, given: Mapping[str, Any], like: Any) -> tuple[Any, Any]:
        """Old and new log-probabilities."""
        if self.formula == "ratio":
            found = []
            for name in ("old", "new"):
                logs = given.get(f"{name}_log")
                if logs is None:
                    with np.errstate(divide="ignore"):
                        logs = np.log(given[name])
                found.append(np.asarray(logs))
            if not all(np.isfinite(part).all() for part in found):
                raise Unfit("a probability of 0 has no logarithm")
            return found[0], found[1]
        if given.get("ratio") is None:
            raise Unfit("no log-probabilities are part of it")
        ratio = np.broadcast_to(given["ratio"], like.shape).astype(np.float64)
        with np.errstate(divide="ignore"):
            logs = np.log(ratio)
        if (np.abs(logs) > LARGEST_LOG).any():
            raise Unfit("ratios beyond exp(±20), and 0, are not made of log-probabilities")
        # eighths that differ from sample to sample
        before = -0.5 - (np.arange(ratio.size) % 5 / 8).reshape(ratio.shape)
        return before, before + logs

    def restore(self, binding: Binding, array: Any, given: Mapping[str, Any]) -> Any:
        """An output in the formula's layout."""
        like = self._like(given)
        if array.ndim and array.size == like.size and binding.layout != "[...]":
            return array.reshape(like.shape)
        return array

    def variations(self, binding: Binding, backends: tuple[str, ...], lists_first: bool) -> Iterator[Binding]:
        """Layouts to try."""
        flags = ["float", "bool"] if "valid" in binding.roles else ["bool"]
        rows = ((IN_ONE_ROW, "array"),) * any(map(is_policy, binding.inputs))
        return ways(binding, backend=backends, laid=(*in_order(LAYOUTS, lists_first), *rows), flags=flags)

    def conveys(self, binding: Binding) -> frozenset[str]:
        """The formula's own parameters that a binding has a place for."""
        roles = binding.roles
        if self.formula == "ratio":
            return frozenset({"new", "old", "new_log", "old_log"})
        if self.formula == "critic_loss":
            single = {"values"} & roles or OF_TWO.keys() <= roles
            return frozenset({*(roles & {"returns"}), *({"values"} if single else ())}) | binding.fixed.keys()
        own = {"ratio", "adv"}
        return frozenset(own | (roles & {"eps"})) | binding.fixed.keys()

    def core(self, formula: Any) -> frozenset[str]:
        return {"critic_loss": frozenset({"values", "returns"}), "ppo_clip": frozenset({"adv", "eps"})}.get(
            self.formula, frozenset()
        )

    def probes(self, binding: Binding) -> list[Arrays]:
        """Arguments that tell readings apart."""
        one = np.array([0.5, 0.8125, 1.0625, 1.1875, 1.5, 3.5, 0.4375, 5.5])
        two = np.array([1.0, -2.0, 0.5, -1.5, 2.25, -0.75, -1.25, 1.75])
        if self.formula == "critic_loss":
            # batches share their value in the formula, so that there is one row
            return [{"values": one, "returns": two}, {"values": two[:5] / 2, "returns": one[:5]}]
        shapes: list[tuple[int, ...]] = [(8,), (2, 4)] if binding.form == "array" else [(8,)]
        if self.formula == "ratio":
            new, old = (2 + one) / 16, (4 + two) / 16
            return [{"new": new.reshape(s), "old": old.reshape(s)} for s in shapes]
        return [
            {"ratio": one.reshape(s), "adv": two.reshape(s), "eps": np.float64(binding.fixed.get("eps", eps))}
            for s, eps in zip(shapes, (0.25, 0.125), strict=False)
        ]


def lay(binding: Binding, array: Any) -> Any:
    """Samples in the layout of a binding."""
    if binding.form == "list":
        return np.ravel(array).tolist()
    if binding.layout == "[N]" and array.ndim == 0:
        return array.reshape(1)
    if binding.layout == IN_ONE_ROW:
        return array.reshape(-1).copy()
    if binding.layout == "[B, N]" and array.ndim < 2:
        return array.reshape(1, -1)
    return np.array(array)


class Distributions(Family):
    """Inputs with one entry per outcome: ``kl``, ``entropy``."""

    def __init__(self, formula: str) -> None:
        self.formula = formula

    def arrange(self, binding: Binding, given: Mapping[str, Any]) -> Arrays:
        """Values by place."""
        found: Arrays = {}
        for path, role in binding.meant.items():
            if role in PLAIN:
                found[path] = PLAIN[role]
                continue
            if role == "valid":
                shape = given["p"].shape if binding.single == "column" else given["p"].shape[:-1]
                found[path] = flagged(binding, np.ones(shape, bool), given["p"].dtype)
                continue
            value = self._value(given, role)
            found[path] = (
                lay(binding, value) if binding.form == "array" or value.ndim == 1 else value.tolist()
            )
        return found

    def _value(self, given: Mapping[str, Any], role: str) -> Any:
        if role in ("p", "q"):
            return given[role]
        with np.errstate(all="ignore"):
            if role == "log_ratio":
                logs = np.log(given["p"]) - np.log(given["q"])
            else:
                logs = np.log(given[role.rpartition("_")[2]])
        if not np.isfinite(logs).all() and not role.startswith("logits"):
            raise Unfit("a probability of 0 has no logarithm")
        # logits are known but for a constant
        return logs + (0.75 if role.startswith("logits") else 0)

    def restore(self, binding: Binding, array: Any, given: Mapping[str, Any]) -> Any:
        """An output in the formula's layout: one number per outcome is averaged with their probabilities."""
        p = given["p"]
        if self.formula == "kl" and array.shape in (p.shape, np.shape(lay(binding, p))):
            return (p * array.reshape(p.shape)).sum(-1)
        own = p.shape[:-1]
        return array.reshape(own) if array.size == int(np.prod(own)) and binding.layout != "[...]" else array

    def variations(self, binding: Binding, backends: tuple[str, ...], lists_first: bool) -> Iterator[Binding]:
        """Layouts to try."""
        flags = ["float", "bool"] if "valid" in binding.roles else ["bool"]
        singles = ["plain", "column"] if "valid" in binding.roles else ["plain"]
        yield from ways(binding, backend=backends, layout=("[...]", "[B, N]"), flags=flags, single=singles)
        if "numpy" in backends or lists_first:
            yield replace(binding, layout="[N]", form="list")

    def conveys(self, binding: Binding) -> frozenset[str]:
        """The formula's own parameters that a binding has a place for."""
        return frozenset({"p", "q"} if self.formula == "kl" else {"p"})

    def probes(self, binding: Binding) -> list[Arrays]:
        """Arguments that tell readings apart."""
        p = np.array([[1, 5, 2], [3, 1, 4]]) / 8.0
        q = np.array([[4, 1, 3], [2, 5, 1]]) / 8.0
        if binding.form == "list":
            return [{"p": p[0], "q": q[0]}, {"p": q[1], "q": p[1]}]
        return [{"p": p, "q": q}, {"p": q[0], "q": p[0]}]


class Groups(Family):
    """Rewards of a group of answers to one prompt: ``grpo_advantage``."""

    tokens = 3

    def arrange(self, binding: Binding, given: Mapping[str, Any]) -> Arrays:
        """Values by place."""
        rewards = given["rewards"]
        if binding.layout == "[G]" and rewards.ndim > 1:
            raise Unfit("one group a call, no batches")
        rows = rewards.reshape(-1, rewards.shape[-1])
        found: Arrays = {}
        for path, role in binding.meant.items():
            found[path] = self._value(binding, given, role, rewards, rows)
        return found

    def _value(self, binding: Binding, given: Mapping[str, Any], role: str, rewards: Any, rows: Any) -> Any:
        flat = rewards.reshape(-1)
        match role:
            case "rewards" | "token_rewards":
                if role == "token_rewards":
                    whole = np.zeros((flat.size, self.tokens), rewards.dtype)
                    whole[:, -1] = flat
                    return whole
                if binding.form == "list":
                    return flat.tolist()
                if binding.layout == "[B, G]":
                    return rows.copy()
                return flat.copy() if binding.layout in ("[B * G]", "[N, tokens]") else rewards
            case "eps":
                eps = float(given.get("eps") or 0.0)
                if not eps and (rows == rows[:, :1]).all(-1).any():
                    raise Unfit("an eps of 0 for equal rewards")
                return eps
            case "valid":
                return flagged(binding, np.ones((flat.size, self.tokens), bool), rewards.dtype)
            case "index":
                names = np.repeat(np.arange(len(rows)), rows.shape[-1])
                return names if binding.flags == "bool" else names.tolist()
            case "group":
                return int(rows.shape[-1])
        if role in PLAIN:
            return PLAIN[role]
        raise Unfit(f"nothing is known of the role {role}")

    def restore(self, binding: Binding, array: Any, given: Mapping[str, Any]) -> Any:
        """An output in the formula's layout; of tokens, the first."""
        shape = given["rewards"].shape
        if array.ndim == 2 and array.shape[-1] == self.tokens and binding.layout == "[N, tokens]":
            array = array[:, 0]
        return array.reshape(shape) if array.size == int(np.prod(shape)) else array

    def variations(self, binding: Binding, backends: tuple[str, ...], lists_first: bool) -> Iterator[Binding]:
        """Layouts to try."""
        roles = binding.roles
        layouts = [("[..., G]", "array"), ("[B, G]", "array"), ("[G]", "array"), ("[G]", "list")]
        if "group" in roles:
            layouts = [("[B * G]", "array"), ("[B * G]", "list"), *layouts]
        if roles & {"token_rewards", "index"}:
            layouts = [("[N, tokens]", "array")]
        flags = ["float", "bool"] if roles & {"valid", "index"} else ["bool"]
        return ways(binding, backend=backends, laid=in_order(layouts, lists_first), flags=flags)

    def conveys(self, binding: Binding) -> frozenset[str]:
        """The formula's own parameters that a binding has a place for."""
        return frozenset({"rewards"} | (binding.roles & {"eps"}))

    def core(self, formula: Any) -> frozenset[str]:
        return frozenset({"rewards"})

    def probes(self, binding: Binding) -> list[Arrays]:
        """Arguments that tell readings apart, of a size that a small ε does not matter to."""
        rows = np.array([[10.0, -30.0, 55.0, 5.0], [90.0, 20.0, -70.0, 15.0]])
        one = {"ddof": np.asarray(0), "eps": np.float64(0.0)}
        if binding.layout != "[G]":
            return [{"rewards": rows, **one}, {"rewards": rows[0, :3], **one}]
        return [{"rewards": rows[0], **one}, {"rewards": rows[1, :3], **one}]
