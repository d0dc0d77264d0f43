"""Faults of counting data and gradient steps."""

from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, Outputs, output_fault, sets


@output_fault("counting")
def data_counted_every_epoch(found: Outputs, arrays: Arrays) -> Outputs:
    """Counts the collected data again in every epoch.

    Shown when: Two epochs or more.
    Cause: The counter of steps of the environment stands inside the loop over epochs.
    Fix: Count where the environment is stepped: epochs pass over the same data.
      for epoch in range(epochs):
    -     steps += len(batch)
    + steps += len(batch)
    """
    epochs = np.asarray(arrays["epochs"], np.int64)
    return {
        **found,
        "collections": found["collections"] * epochs,
        "trajectories": found["trajectories"] * epochs,
    }


@sets("counting", minibatches=1)
def minibatches_forgotten() -> None:
    """Counts one gradient step an epoch.

    Shown when: Two minibatches or more.
    Cause: Epochs were taken for updates.
    Fix: Each minibatch is one step of the optimiser: I·E·M.
    - gradient_steps = iterations * epochs
    + gradient_steps = iterations * epochs * minibatches
    """


@sets("counting", epochs=1)
def epochs_forgotten() -> None:
    """Counts one pass over the data.

    Shown when: Two epochs or more.
    Cause: Updates were counted as in an algorithm that uses its data once, such as A2C.
    Fix: I·E·M gradient steps.
    - gradient_steps = iterations * minibatches
    + gradient_steps = iterations * epochs * minibatches
    """


@sets("counting", iterations=1)
def iterations_forgotten() -> None:
    """Counts the first iteration only.

    Shown when: Two iterations or more.
    Cause: Counters are reset with the buffer.
    Fix: Multiply by the iterations, or keep the counters outside the loop.
    - gradient_steps = epochs * minibatches
    + gradient_steps = iterations * epochs * minibatches
    """


@output_fault("counting")
def collections_are_trajectories(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the number of trajectories where that of collections is asked for.

    Shown when: Two trajectories a collection or more.
    Cause: '400 trajectory collections' may be read as either; one collection holds N trajectories.
    Fix: Say which is counted: 4 collections, 400 trajectories.
    - collections = iterations * trajectories_per_iteration
    + collections = iterations
    """
    return {
        **found,
        "collections": found["trajectories"],
        "reinforce_collections": found["reinforce_trajectories"],
    }
