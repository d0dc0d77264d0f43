"""Whether forms compiled by Torch's inductor, in one graph with its backward, give what they give uncompiled.

    python benchmarks/inductor.py [--json FILE] [--only WORDS]

Each line: the form, whether all outputs and the derivative of their sum agree, and seconds of compilation.
It needs a C++ compiler. The tests run every form in one graph of the eager backend, which takes less time.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # runs from a checkout as it is

from rlcalc.formulas import load_forms

ROWS, WIDTH, WORDS = 4, 16, 32


def contests() -> dict[str, tuple[str, dict[str, Any]]]:
    """Form -> the input that a gradient goes to, and all of them."""
    chance = torch.Generator().manual_seed(1)
    table = {name: torch.randn(ROWS, WIDTH, generator=chance) for name in "abc"}
    logs = {name: -torch.rand(ROWS, WIDTH, generator=chance) for name in "ab"}
    mask = torch.rand(ROWS, WIDTH, generator=chance) < 0.8
    ids = torch.randint(0, WORDS, (ROWS, WIDTH), generator=chance)
    logits = torch.randn(ROWS, WIDTH, WORDS, generator=chance)
    pair, a = {"logp": logs["a"], "old_logp": logs["b"]}, table["a"]
    critic = {"values": a, "old_values": table["b"], "returns": table["c"], "mask": mask}
    return {
        "policy_clip": ("logp", {**pair, "adv": a}),
        "kl_estimate": ("logp", {"logp": logs["a"], "ref_logp": logs["b"]}),
        "loss_aggregation": ("loss", {"loss": a, "mask": mask}),
        "value_clip_loss": ("values", critic),
        "masked_whiten": ("x", {"x": a, "mask": mask}),
        "token_logprobs": ("logits", {"logits": logits, "ids": ids}),
        "token_entropy": ("logits", {"logits": logits}),
        "sft_loss": ("logits", {"logits": logits, "labels": torch.where(mask, ids, -100)}),
        "gspo": ("logp", {**pair, "adv": a[:, 0], "mask": mask}),
        "gae": ("values", {"rewards": a[:, 1:], "values": table["b"], "gamma": 0.9, "lam": 0.8}),
    }


def run(form: Any, by: str, given: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    leaf = given[by].clone().requires_grad_()
    found = form(**{**given, by: leaf})
    sums = [value.sum() for value in found.values() if value.requires_grad]
    return found, torch.autograd.grad(torch.stack(sums).sum(), leaf)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--only", default="")
    asked = parser.parse_args()
    lines = []
    for name, (by, given) in contests().items():
        if asked.only not in name:
            continue
        torch._dynamo.reset()
        form = load_forms(name).torch_form
        started = time.perf_counter()
        found, slope = run(torch.compile(form, backend="inductor", fullgraph=True), by, given)
        took = time.perf_counter() - started
        want, expected = run(form, by, given)
        for output, value in want.items():
            torch.testing.assert_close(found[output], value, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(slope, expected, rtol=1e-4, atol=1e-5)
        lines.append({"form": name, "agrees": True, "seconds": round(took, 1)})
        print(lines[-1], flush=True)
    if asked.json:
        record = {"date": date.today().isoformat(), "torch": torch.__version__, "forms": lines}
        Path(asked.json).write_text(json.dumps(record, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
