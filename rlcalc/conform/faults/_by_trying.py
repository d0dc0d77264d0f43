"""What can be wrong whatever the formula: known by trying, not by comparing answers."""

from __future__ import annotations

from rlcalc.conform.fault import tried_fault


@tried_fault("normalisation")
def statistics_over_whole_batch() -> None:
    """Treats a batch as one long row: means and deviations are those of all rows together.

    Shown when: A batch of two rows that differ; any single row is right.
    Cause: mean() and std() without an axis, which was right for one group and stayed when batches came.
    Fix: Give the axis of the row (axis=-1, keepdims=True), or call it once per row.
    - adv = (rewards - rewards.mean()) / (rewards.std() + eps)
    + mean, std = rewards.mean(-1, keepdims=True), rewards.std(-1, keepdims=True)
    + adv = (rewards - mean) / (std + eps)
    """


@tried_fault("reduction")
def rows_mixed() -> None:
    """Gives to one row of a batch what depends on the others.

    Shown when: A batch of two rows that differ; any single row is right.
    Cause: A reshape or a view in the place of a transposition, or a loop that goes on from row to row.
    Fix: Keep the axes of the batch apart, or call it once per row.
    - rows = batch.reshape(N, T)  # of [T, N]
    + rows = batch.swapaxes(0, 1)
    """


@tried_fault("precision", "anthonytorlucci/rlevo issue #192")
def masked_by_multiplication() -> None:
    """Multiplies the value after a terminal step by 0: one that is nan or infinite reaches the answer.

    Shown when: A terminated step whose successor has a value that is not finite.
    Cause: A mask of 0 and 1 takes away every finite number, and 0·nan is nan.
    Fix: Choose with where: the target of a terminated step is its reward.
    - target = rewards + gamma * (1 - terminated) * next_values
    + target = rewards + gamma * np.where(terminated, 0, next_values)
    """


@tried_fault("swapped")
def inputs_changed_in_place() -> None:
    """Writes into the arrays that it is given, so that a second call of the same inputs answers otherwise.

    Shown when: A call that is made twice with the same arrays, or an input that is read once more afterwards.
    Cause: An operation in place saves the memory of a copy, where the caller was thought to be done with it.
    Fix: Compute a new array, or copy first.
    - logits.div_(temperature)
    + logits = logits / temperature
    """


@tried_fault("termination")
def last_value_unused() -> None:
    """Takes the value of the state after the last step, and computes as if it were 0.

    Shown when: A last step that does not terminate, and a value other than 0 after it.
    Cause: The recursion starts from 0, as for whole episodes, and the rollout is cut at a fixed length.
    Fix: Start from the value that was handed over: the last step leads on unless it terminated.
    - after = torch.cat([values[1:], torch.zeros_like(last_value)[None]])
    + after = torch.cat([values[1:], last_value[None]])
    """


@tried_fault("logarithm")
def log_softmax_missing() -> None:
    """Takes the logits of the actions for their log-probabilities.

    Shown when: Logits that are not normalised, as a network gives them.
    Cause: gather was called on what the network gives, as for one that ends in log_softmax.
    Fix: log_softmax along the actions, then gather.
    - log_probs = logits.gather(-1, actions[:, None]).squeeze(-1)
    + log_probs = logits.log_softmax(-1).gather(-1, actions[:, None]).squeeze(-1)
    """


@tried_fault("logarithm")
def softmax_of_probabilities() -> None:
    """Takes the softmax of the probabilities of the actions, as if these were logits.

    Shown when: Actions whose probabilities differ: three of them never get below 0.21, nor above 0.58.
    Cause: The network ends in a softmax, or one was taken, before a loss that takes its own.
    Fix: Hand the logits over: cross_entropy and Categorical(logits=...) take the softmax themselves.
    - loss = (F.cross_entropy(torch.softmax(logits, -1), actions, reduction="none") * adv).mean()
    + loss = (F.cross_entropy(logits, actions, reduction="none") * adv).mean()
    """


@tried_fault("normalisation")
def softmax_along_the_batch() -> None:
    """Takes the softmax along the samples, so that one action's probabilities add up to 1 over a batch.

    Shown when: Two steps or more.
    Cause: dim=0 is right for the logits of a single state, and stayed when batches came.
    Fix: Take it along the last axis, the actions.
    - log_probs = torch.log_softmax(logits, dim=0)
    + log_probs = torch.log_softmax(logits, dim=-1)
    """


@tried_fault("reduction")
def density_averaged() -> None:
    """Averages the log-densities of an action's dimensions, where the density of them all is their sum.

    Shown when: An action of two dimensions or more.
    Cause: mean(-1) in the place of sum(-1), after Normal.log_prob, which gives one number a dimension.
    Fix: Sum over the last axis, or use Independent(Normal(...), 1).
    - log_prob = dist.log_prob(actions).mean(-1)
    + log_prob = dist.log_prob(actions).sum(-1)
    """


@tried_fault("normalisation")
def masked_tokens_counted() -> None:
    """Divides by the number of all tokens, hidden ones too: the more padding, the less it gives.

    Shown when: A mask that hides a token; without one it is right, and what is hidden does not matter.
    Cause: The mask is multiplied in, and mean() then averages over all entries.
    Fix: Sum under the mask, and divide by the sum of the mask.
    - kl_loss = (kl * mask).mean()
    + kl_loss = (kl * mask).sum() / mask.sum()
    """


@tried_fault("ignored")
def masked_tokens_used() -> None:
    """Takes the tokens that the mask hides for tokens of the answer.

    Shown when: A mask that hides a token; without one it is right.
    Cause: The mask is an argument that nothing is multiplied by, or is applied after the mean.
    Fix: Sum under the mask, and divide by the sum of the mask.
    - kl_loss = kl.mean()
    + kl_loss = (kl * mask).sum() / mask.sum()
    """


@tried_fault("sign")
def loss_with_the_sign_of_an_objective() -> None:
    """Takes the objective itself for the loss: what did well becomes less likely.

    Shown when: Any objective other than 0.
    Cause: An optimiser minimises what backward() is called on; the textbook's formula is to be maximised.
    Fix: Put a minus before it.
    - loss = (log_probs * returns).mean(); loss.backward()
    + loss = -(log_probs * returns).mean(); loss.backward()
    """


@tried_fault("weighting")
def advantage_not_detached() -> None:
    """Lets the gradient of the policy's term through the advantages to the values.

    Shown when: Values equal to the returns, where no loss of values has a gradient and this one has.
    Cause: The values come from the network with their graph, and returns minus values keeps it.
    Fix: Detach the values where the advantages are made; the loss of values keeps its gradient.
    - adv = returns - values
    + adv = returns - values.detach()
    """


BY_TRYING = (
    advantage_not_detached,
    statistics_over_whole_batch,
    rows_mixed,
    masked_by_multiplication,
    last_value_unused,
    inputs_changed_in_place,
    log_softmax_missing,
    softmax_of_probabilities,
    softmax_along_the_batch,
    density_averaged,
    masked_tokens_counted,
    masked_tokens_used,
    loss_with_the_sign_of_an_objective,
)
