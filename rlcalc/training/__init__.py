"""What every training run needs, whatever it trains.

- ``optimiser``, ``ranks``, ``state``: steps of descent, several processes, tensors from a saved state;
- ``comparisons``: what checks on every update write down, and the verdict on it;
- ``run``: the loop around training: stopping, resuming, log and checkpoints;
- ``checkpoint``, ``log``: files;
- ``display``: what people see meanwhile.

Raises:
    InputError: ``torch_not_installed``, when anything of it is imported.
"""

from __future__ import annotations

from importlib.util import find_spec

from rlcalc._lazy import missing

if find_spec("torch") is None:
    raise missing("torch", "torch")
