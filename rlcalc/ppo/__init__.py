"""PPO end to end, trained with the formulas that rlcalc verifies.

If one of them is wrong, the run says so: before learning against exact
answers, on every update against independent ones, and at the end by whether
the agent solved its task.

The modules:

- ``settings``: every number of a run, with the lecture's;
- ``train``: the algorithm, one readable file;
- ``policy``, ``optimiser``, ``envs``: what it acts with, learns with and acts in;
- ``check``: exact checks before learning, checks on every update, and the
  mutation test that shows which check detects which bug;
- ``run``: one run and its verdict, five of them, stopping and resuming,
  several processes, what people see.

Raises:
    InputError: ``torch_not_installed``, when anything of it is imported.
"""

from __future__ import annotations

from importlib.util import find_spec

from rlcalc._lazy import missing

if find_spec("torch") is None:
    raise missing("torch", "torch")
