"""Faults of the Bradley–Terry loss of a reward model."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Form, Outputs, fault, sets
from rlcalc.conform.faults import _preferences as pairs
from rlcalc.conform.faults import dpo_loss
from rlcalc.conform.faults._answers import sign_flipped as sign_flipped

sum_for_mean = dpo_loss.sum_for_mean
of_pairs = (pairs.answers_swapped, pairs.answers_added)


def _parts(arrays: Arrays) -> tuple[Any, Any, Any]:
    """h without its margin, the margin, and λ."""
    margin, centre = arrays.get("margin"), arrays.get("centre")
    gap = arrays["chosen"] - arrays["rejected"]
    return gap, np.zeros_like(gap) if margin is None else margin, 0.0 if centre is None else centre


def _whole(losses: Any) -> Outputs:
    return {"losses": losses, "loss": losses.mean(-1)}


@fault("swapped", "huggingface/trl issue #1931", "huggingface/trl PR #1932")
def centring_of_the_difference(form: Form, /, **arrays: Any) -> Outputs:
    """Squares the difference of the rewards where their sum is meant.

    Shown when: Centring, with a rejected reward other than 0.
    Cause: The difference is at hand, from the line above.
    Fix: (r_w + r_l)²: a difference is no level, and this term would work against the loss.
    - loss += center * torch.mean((rewards_chosen - rewards_rejected) ** 2)
    + loss += center * torch.mean((rewards_chosen + rewards_rejected) ** 2)
    """
    gap, margin, centre = _parts(arrays)
    return _whole(np.logaddexp(np.zeros_like(gap), margin - gap) + centre * np.square(gap))


@fault("swapped", "natolambert/rlhf-book PR #96")
def margin_outside_the_sigmoid(form: Form, /, **arrays: Any) -> Outputs:
    """Subtracts the margin from log σ of the difference.

    Shown when: A margin above 0: the derivative no longer depends on it.
    Cause: A parenthesis closed too early.
    Fix: log σ(r_w − r_l − m).
    - loss = -(F.logsigmoid(rewards_chosen - rewards_rejected) - margin).mean()
    + loss = -F.logsigmoid(rewards_chosen - rewards_rejected - margin).mean()
    """
    gap, margin, centre = _parts(arrays)
    sums = np.square(arrays["chosen"] + arrays["rejected"])
    return _whole(np.logaddexp(np.zeros_like(gap), -gap) + margin + centre * sums)


@fault("logarithm", "natolambert/rlhf-book PR #465")
def logarithm_of_the_mean(form: Form, /, **arrays: Any) -> Outputs:
    """Averages the probabilities of the pairs and takes the logarithm of the mean.

    Shown when: Two pairs or more that are not equally likely.
    Cause: The logarithm was drawn out of the expectation, where it does not commute.
    Fix: The mean of −log σ: each pair has its own logarithm.
    - loss = -torch.sigmoid(rewards_chosen - rewards_rejected).mean().log()
    + loss = -F.logsigmoid(rewards_chosen - rewards_rejected).mean()
    """
    gap, margin, centre = _parts(arrays)
    alone = np.logaddexp(np.zeros_like(gap), margin - gap)
    squares = centre * np.square(arrays["chosen"] + arrays["rejected"])
    together = np.log(gap.dtype.type(gap.shape[-1])) - np.logaddexp.reduce(-alone, axis=-1)
    return {"losses": alone + squares, "loss": together + squares.mean(-1)}


@fault("logarithm", "HarderThenHarder/transformers_tasks issue #15")
def logarithm_missing(form: Form, /, **arrays: Any) -> Outputs:
    """Minimises −σ(h).

    Shown when: Every input; a pair that is far off has no gradient any more.
    Cause: sigmoid was called in the place of logsigmoid.
    Fix: −log σ(h).
    - loss = -torch.sigmoid(rewards_chosen - rewards_rejected).mean()
    + loss = -F.logsigmoid(rewards_chosen - rewards_rejected).mean()
    """
    gap, margin, centre = _parts(arrays)
    sums = np.square(arrays["chosen"] + arrays["rejected"])
    return _whole(-np.exp(-np.logaddexp(np.zeros_like(gap), margin - gap)) + centre * sums)


@fault("precision", "deepspeedai/DeepSpeedExamples issue #423")
def exponential_overflows(form: Form, /, **arrays: Any) -> Outputs:
    """Computes log(1 + exp(−h)) as it stands, which is infinite for h below −89 in single precision.

    Shown when: A wrong answer that leads by more than the range of the exponential.
    Cause: The definition was written down, without a stable form.
    Fix: Use softplus(−h) or logsigmoid.
    - loss = torch.log(1 + torch.exp(rewards_rejected - rewards_chosen)).mean()
    + loss = F.softplus(rewards_rejected - rewards_chosen).mean()
    """
    gap, margin, centre = _parts(arrays)
    with np.errstate(all="ignore"):
        losses = np.log(1 + np.exp(margin - gap))
    return _whole(losses + centre * np.square(arrays["chosen"] + arrays["rejected"]))


@fault("sign")
def margin_added(form: Form, /, **arrays: Any) -> Outputs:
    """Adds the margin to the difference.

    Shown when: A margin above 0.
    Cause: The margin is taken for a head start of the chosen answer.
    Fix: Subtract it: the chosen answer has to lead by it before the loss falls below log 2.
    - loss = -F.logsigmoid(rewards_chosen - rewards_rejected + margin).mean()
    + loss = -F.logsigmoid(rewards_chosen - rewards_rejected - margin).mean()
    """
    gap, margin, centre = _parts(arrays)
    sums = np.square(arrays["chosen"] + arrays["rejected"])
    return _whole(np.logaddexp(np.zeros_like(gap), -margin - gap) + centre * sums)


@fault("swapped")
def margin_taken_from_the_loss(form: Form, /, **arrays: Any) -> Outputs:
    """Subtracts the margin from −log σ of the difference: a loss that can be negative.

    Shown when: A margin above 0: the derivative no longer depends on it.
    Cause: The margin stands after the parenthesis of the sigmoid.
    Fix: Subtract it from the difference of the rewards.
    - loss = (-F.logsigmoid(rewards_chosen - rewards_rejected) - margin).mean()
    + loss = -F.logsigmoid(rewards_chosen - rewards_rejected - margin).mean()
    """
    gap, margin, centre = _parts(arrays)
    sums = np.square(arrays["chosen"] + arrays["rejected"])
    return _whole(np.logaddexp(np.zeros_like(gap), -gap) - margin + centre * sums)


@sets("ignored", margin=None)
def margin_ignored() -> None:
    """Leaves the margin out.

    Shown when: A margin above 0.
    Cause: The column is dropped when the batch is put together.
    Fix: Hand the margins on with the pairs.
    - loss = -F.logsigmoid(rewards_chosen - rewards_rejected).mean()
    + loss = -F.logsigmoid(rewards_chosen - rewards_rejected - margin).mean()
    """


@sets("ignored", centre=0.0)
def centring_ignored() -> None:
    """Leaves the level of the rewards free.

    Shown when: Centring, with rewards whose sum is not 0.
    Cause: The coefficient is accepted and never used.
    Fix: Add λ (r_w + r_l)² to each pair's loss.
    - loss = losses.mean()
    + loss = losses.mean() + center * (rewards_chosen + rewards_rejected).square().mean()
    """
