"""What the stages of training stand on: networks, formulas, ranks, and the state of it all.

Every rank draws the same random numbers for all rows and works on its own, and
denominators are counted over all: several ranks make the step of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

from rlcalc.errors import DataError
from rlcalc.formulas import load_forms
from rlcalc.lm.model import Transformer
from rlcalc.lm.records import Answers, Batch, Counts, Losses, Metrics, Pairs
from rlcalc.lm.settings import Settings
from rlcalc.lm.task import END, PAD, VOCABULARY, Sums
from rlcalc.training.optimiser import Optimiser
from rlcalc.training.ranks import SINGLE, Ranks
from rlcalc.training.state import restore

Form = Callable[..., dict[str, Any]]
Place = tuple[int, int, int]  # epoch, minibatch and micro-batch, each from 0
WILDER = 3  # times as far off as the teacher are the texts of pre-training


@dataclass(frozen=True)
class Formulas:
    """The Torch forms that the trainer calls, by the name of the formula."""

    sft_loss: Form
    dpo_loss: Form
    token_logprobs: Form
    token_entropy: Form
    kl_estimate: Form
    token_rewards: Form
    group_advantage: Form
    rloo_advantage: Form
    token_gae: Form
    masked_whiten: Form
    policy_clip: Form
    value_clip_loss: Form
    loss_aggregation: Form

    @classmethod
    def verified(cls) -> Formulas:
        return cls(**{field.name: load_forms(field.name).torch_form for field in fields(cls)})


class Watcher:
    """Looks on; `rlcalc.lm.check.checks` is the one that a run has.

    Logits and losses come with their graph, which a watcher must leave alone.
    """

    def imitated(self, trainer: Any, ids: Tensor, labels: Tensor, count: Tensor, logits: Tensor) -> None:
        """A micro-batch of stages 1 and 2, with the count of labels in all of them."""

    def sampled(self, trainer: Any, answers: Answers) -> None:
        """After sampling, of this rank's rows."""

    def prepared(self, trainer: Any, answers: Answers, batch: Batch) -> None:
        """Before the first pass over a batch."""

    def micro_batch(
        self,
        trainer: Any,
        place: Place,
        part: Batch,
        counts: Counts,
        logits: Tensor,
        values: Tensor,
        losses: Losses,
    ) -> None:
        """A micro-batch of stage 4, before it is differentiated."""  # fmt: skip

    def paired(self, trainer: Any, answers: Answers, score: Tensor, pairs: Pairs) -> None:
        """Before the first pass over pairs."""

    def pair_part(
        self, trainer: Any, epoch: int, part: Pairs, count: Tensor, chosen: Tensor, rejected: Tensor
    ) -> None:
        """A micro-batch of pairs and the logits of both answers, with the count of pairs in all of them."""

    def accumulated(self, trainer: Any) -> None:
        """After the last micro-batch of a step, with its gradient."""

    def stepped(self, trainer: Any, before: Tensor) -> None:
        """After a step; ``before`` [P] are the parameters that it began with."""

    def updated(self, trainer: Any, metrics: Metrics) -> None:
        """At the end of an update."""


class Base:
    """A policy, the reference that it is held to, and a critic if the algorithm has one.

    Args:
        formulas: those of rlcalc, unless a test breaks one.
        watcher: sees every update from inside.
    """

    def __init__(
        self,
        settings: Settings,
        device: torch.device = torch.device("cpu"),
        formulas: Formulas | None = None,
        watcher: Watcher | None = None,
        ranks: Ranks = SINGLE,
    ) -> None:
        self.settings, self.watcher, self.ranks, self.device = settings, watcher, ranks, device
        self.formulas = formulas or Formulas.verified()
        self.dtype = getattr(torch, settings.dtype)
        self.task = Sums(settings.largest, WILDER * settings.slip, device)
        self.model, self.reference = self._network(VOCABULARY, 0), self._network(VOCABULARY, 0)
        self.critic = self._network(1, 1) if settings.algorithm == "ppo" else None
        critic = [] if self.critic is None else list(self.critic.parameters())
        self.optimiser = Optimiser([*self.model.parameters(), *critic])
        self.generator = torch.Generator(device).manual_seed(settings.seed * 1_000_003 + 1)
        self.iterations = 0
        self.accuracy: float | None = None
        self.looked_at = 0  # the update after which it was

    def _network(self, outputs: int, offset: int) -> Transformer:
        s = self.settings
        seed = s.seed * 10_000_019 + offset
        network = Transformer(VOCABULARY, outputs, self.task.width, s.width, s.heads, s.depth, seed)
        return network.to(device=self.device, dtype=self.dtype)

    def stage(self) -> tuple[str, int, int]:
        """The stage of the next update, its number in it from 0, and how many the stage has."""
        at = self.iterations
        for name, length in self.settings.stages:
            if at < length:
                return name, at, length
            at -= length
        return "reasoning", at + self.settings.steps, at + self.settings.steps + 1

    @torch.no_grad()
    def refer(self) -> None:
        """From now on the reference is the policy as it is."""
        for own, now in zip(self.reference.parameters(), self.model.parameters(), strict=True):
            own.copy_(now)

    @torch.no_grad()
    def write(self, problem: Tensor, noise: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Answers to problems [N], token by token; without noise the likeliest tokens.

        Returns:
            Texts [N, K], the mask of what was written [N, K−1], and its log-probabilities.
        """
        ids, at = self.task.prompts[problem].clone(), self.task.starts[problem][:, None]
        mask = torch.zeros(ids.shape, dtype=torch.bool, device=self.device)
        logps = torch.zeros(ids.shape, dtype=self.dtype, device=self.device)
        alive = torch.ones_like(at, dtype=torch.bool)
        first = self.task.width - self.task.longest
        for step in range(self.task.longest):
            logits = self.model(ids[:, : first + step])
            now = logits.gather(1, (at - 1)[..., None].expand(-1, -1, VOCABULARY))[:, 0]
            now = now / self.settings.temperature
            token = (now if noise is None else now + noise[step]).argmax(-1, keepdim=True)
            logp = torch.log_softmax(now, -1).gather(1, token)
            ids.scatter_(1, at, torch.where(alive, token, PAD))
            mask.scatter_(1, at, alive)
            logps.scatter_(1, at, torch.where(alive, logp, 0.0))
            alive, at = alive & (token != END), at + 1
        return ids, mask[:, 1:], logps[:, 1:]

    @torch.no_grad()
    def logps(self, model: Transformer, ids: Tensor) -> Tensor:
        """Log-probabilities [N, K−1] of the tokens of texts [N, K], by a model as it is."""
        found = [
            self.formulas.token_logprobs(
                logits=model(ids[rows]), ids=ids[rows], temperature=self.settings.temperature
            )["logps"]
            for rows in self.micro_rows(len(ids))
        ]
        return torch.cat(found)

    def values(self, ids: Tensor) -> Tensor:
        """V [N, K−1] of the text before each token."""
        if self.critic is None:
            return torch.zeros(len(ids), ids.shape[1] - 1, dtype=self.dtype, device=self.device)
        out: Tensor = self.critic(ids)[:, :-1, 0]
        return out

    def micro_rows(self, count: int) -> Iterator[slice]:
        for start in range(0, count, self.settings.micro):
            yield slice(start, min(count, start + self.settings.micro))

    def own(self, x: Tensor, dim: int = 0) -> Tensor:
        """This rank's share of what there is for all."""
        return x.chunk(self.ranks.size, dim)[self.ranks.rank]

    def everyones(self, x: Tensor) -> Tensor:
        """The shares of all ranks, in order."""
        whole = x.new_zeros((self.ranks.size, *x.shape), dtype=self.dtype)
        whole[self.ranks.rank] = x
        return self.ranks.sum(whole).flatten(0, 1).to(x.dtype)

    def descend(self, rate: float) -> None:
        """One step against the gradient of all ranks."""
        optimiser, before = self.optimiser, None
        if self.watcher is not None:
            self.watcher.accumulated(self)
        self.ranks.average_(optimiser.gradient)
        optimiser.shorten(self.settings.max_grad_norm)
        if self.watcher is not None:
            before = optimiser.flat.clone()
        _, at, length = self.stage()
        optimiser.rate.fill_(rate * max(self.settings.least_rate, 1 - at / length))
        optimiser.step()
        if self.watcher is not None and before is not None:
            self.watcher.stepped(self, before)

    def _own_state(self) -> dict[str, Tensor | torch.Generator]:
        named = {f"reference.{name}": x.data for name, x in self.reference.named_parameters()}
        return {"generator": self.generator, **named}

    def state_dict(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on."""
        own = {
            name: x.get_state() if isinstance(x, torch.Generator) else x.clone()
            for name, x in self._own_state().items()
        }
        return {
            "optimiser": self.optimiser.state_dict(),
            "own": own,
            "iterations": self.iterations,
            "accuracy": self.accuracy,
        }

    def load_state_dict(self, state: Any) -> None:
        """Go on from what ``state_dict`` gave.

        Raises:
            DataError: ``checkpoint_foreign``.
        """
        rest = dict(state) if isinstance(state, dict) else {}
        done, accuracy = rest.pop("iterations", -1), rest.pop("accuracy", None)
        if type(done) is not int or done < 0 or not (accuracy is None or type(accuracy) is float):
            raise DataError("checkpoint_foreign", "The checkpoint does not say how many updates were done.")
        self.optimiser.load_state_dict(rest.pop("optimiser", None))
        restore(self._own_state(), rest.pop("own", None), "a trainer with these settings")
        if rest:
            raise DataError(
                "checkpoint_foreign", f"This state holds more than a trainer's: {', '.join(rest)}."
            )
        self.iterations, self.accuracy = done, accuracy
