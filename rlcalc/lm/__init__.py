"""A language model trained end to end with the formulas that rlcalc verifies.

The lecture's four stages (section 5) at the size of a desk calculator: a tiny
transformer learns what sums look like, then to answer them as a careless
teacher does, then the form that people prefer, then by reward alone to be
right. If a formula were wrong, checks on every update would say so, or the
answers would stay wrong.

The modules:

- ``settings``: every number of a run;
- ``task``, ``model``: the sums, and the network that reads and writes them;
- ``train``: the four stages, one readable file;
- ``records``: what passes between its parts;
- ``check``: the checks on every update, and the mutation test that shows
  which check detects which bug;
- ``run``: one run and its verdict, five of them, stopping and resuming, what
  people see.

Raises:
    InputError: ``torch_not_installed``, when anything of it is imported.
"""

from __future__ import annotations

from importlib.util import find_spec

from rlcalc._lazy import missing

if find_spec("torch") is None:
    raise missing("torch", "torch")
