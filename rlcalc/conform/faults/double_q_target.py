"""Faults of the target of double Q-learning and double DQN."""

from __future__ import annotations

from rlcalc._lazy import np
from rlcalc.conform.fault import Arrays, argument_fault
from rlcalc.conform.faults import _targets as shared

of_every_target = shared.OF_EVERY_TARGET


@argument_fault(
    "swapped", "MaximeVandegar/Papers-in-100-Lines-of-Code issue #21", "keon/deep-q-learning issue #35"
)
def target_network_chooses(arrays: Arrays) -> Arrays:
    """Lets the target network both choose and value the next action: the target of DQN.

    Shown when: The two networks prefer different actions.
    Cause: The argmax is taken of the values that are at hand.
    Fix: Choose with the online network, value with the target network.
    - best = target_net(next_obs).argmax(dim=1, keepdim=True)
    + best = online_net(next_obs).argmax(dim=1, keepdim=True)
      target = rewards + gamma * (1 - dones) * target_net(next_obs).gather(1, best).squeeze(1)
    """
    return {"next_q_online": arrays["next_q_target"]}


@argument_fault("swapped")
def online_network_values(arrays: Arrays) -> Arrays:
    """Lets the online network both choose and value the next action.

    Shown when: The two networks value the chosen action differently.
    Cause: The maximum of the online network is taken with the action that it belongs to.
    Fix: Value the chosen action with the target network.
    - next_value = online_net(next_obs).gather(1, best).squeeze(1)
    + next_value = target_net(next_obs).gather(1, best).squeeze(1)
    """
    return {"next_q_target": arrays["next_q_online"]}


@argument_fault("swapped")
def networks_swapped(arrays: Arrays) -> Arrays:
    """Chooses with the target network and values with the online network.

    Shown when: The two networks differ in preference or in value.
    Cause: Both arguments are handed over in the other order.
    Fix: The network that is trained chooses; the target network values.
    - best = target_net(next_obs).argmax(dim=1, keepdim=True)
    - next_value = online_net(next_obs).gather(1, best).squeeze(1)
    + best = online_net(next_obs).argmax(dim=1, keepdim=True)
    + next_value = target_net(next_obs).gather(1, best).squeeze(1)
    """
    return {"next_q_online": arrays["next_q_target"], "next_q_target": arrays["next_q_online"]}


@argument_fault("clipping")
def smaller_of_both_maxima(arrays: Arrays) -> Arrays:
    """Takes the smaller of the maxima of the two networks.

    Shown when: The networks prefer different actions.
    Cause: Clipped double Q-learning is half remembered: its minimum is over two critics of one action.
    Fix: The target network's value of the action that the online network prefers.
    - next_value = torch.minimum(q_online.max(dim=1).values, q_target.max(dim=1).values)
    + next_value = q_target.gather(1, q_online.argmax(dim=1, keepdim=True)).squeeze(1)
    """
    largest = [arrays[name].max(-1, keepdims=True) for name in ("next_q_online", "next_q_target")]
    smaller = np.minimum(*largest)
    return {"next_q_target": np.broadcast_to(smaller, arrays["next_q_target"].shape)}


@argument_fault("sign")
def smallest_action(arrays: Arrays) -> Arrays:
    """Chooses the smallest of the next action values.

    Shown when: Action values of a state that differ.
    Cause: Code for costs, which are minimised, is used with rewards.
    Fix: The argmax over the actions.
    - best = next_q_online.argmin(dim=1, keepdim=True)
    + best = next_q_online.argmax(dim=1, keepdim=True)
    """
    return {"next_q_online": -arrays["next_q_online"]}
