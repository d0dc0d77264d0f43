"""Vectors of a JSON file against the three forms: exact, and the numbers of NumPy and Torch.

    python benchmarks/vectors.py llm_vectors.json

The file is a list of {"formula", "id", "inputs", "outputs"}; inputs are numbers of the calculator's
grammar, an output is {"exact", "decimal"} or a list of such. An exact answer agrees when it has the same
40 digits (where no exact value is given the same 18), numbers when they are within 1e-12 of the decimal.
Prints how many agree by formula, and every one that does not.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from decimal import Decimal
from typing import Any

import numpy as np
import torch

import rlcalc
from rlcalc.evaluation import checked
from rlcalc.exact import parse_number
from rlcalc.exact.rounding import to_decimal
from rlcalc.inputs.arrays import from_exact
from rlcalc.nested import flatten
from rlcalc.specs import load_formula

FORMS = ("exact", "numpy", "torch")
CLOSE = {"rtol": 1e-12, "atol": 1e-14}
# a vector of distributions, which the formula of one token does not take
ELSEWHERE = {"kl_estimate/expected-gradient": "kl_expected_gradient"}


def numbers(wanted: Any) -> list[dict[str, str]]:
    """Every number of an output, with one or both spellings."""
    return [wanted] if isinstance(wanted, dict) else [one for each in wanted for one in numbers(each)]


def written(text: str) -> Any:
    """A number in SymPy's spelling, which has more functions than the calculator's grammar."""
    text = re.sub(r"\bE\b", "exp(1)", text)
    return parse_number(re.sub(r"cosh\(([^()]*)\)", r"((exp(\1) + exp(-(\1)))/2)", text))


def is_exact(found: Any, wanted: dict[str, str]) -> bool:
    if "exact" in wanted:
        return to_decimal(found, 40) == to_decimal(written(wanted["exact"]), 40)
    digits = Decimal(wanted["decimal"])
    return abs(Decimal(to_decimal(found, 30) or "nan") - digits) <= abs(digits).scaleb(-18)


def plain(value: Any) -> Any:
    return np.asarray(value.detach() if hasattr(value, "detach") else value, dtype=float).ravel()


def differs(vector: dict[str, Any], form: str) -> list[str]:
    """Names of the outputs that do not agree in one of the three forms."""
    name = ELSEWHERE.get(vector["id"], vector["formula"])
    given, wanted = vector["inputs"], vector["outputs"]
    if form == "exact":
        found = rlcalc.derive(name, **given).outputs
        return [
            output
            for output, want in wanted.items()
            if not all(map(is_exact, flatten([found[output]]), numbers(want)))
        ]
    arrays = from_exact(checked(load_formula(name), given), "numpy")
    arrays = {key: value for key, value in arrays.items() if value is not None}
    if form == "torch":
        arrays = {k: torch.tensor(v) if isinstance(v, np.ndarray) else v for k, v in arrays.items()}
    answers = rlcalc.compute(name, **arrays)
    return [
        output
        for output, want in wanted.items()
        if not np.allclose(plain(answers[output]), [float(x["decimal"]) for x in numbers(want)], **CLOSE)
    ]


def main(path: str) -> int:
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    total = Counter(vector["formula"] for vector in vectors)
    agree: Counter[tuple[str, str]] = Counter()
    for vector in vectors:
        for form in FORMS:
            try:
                wrong = differs(vector, form)
            except Exception as error:  # one that cannot be computed is reported like one that differs
                wrong = [f"{type(error).__name__}: {error}"]
            agree[vector["formula"], form] += not wrong
            if wrong:
                print(f"{vector['id']}: {form}: {', '.join(wrong)}")
    for name, count in total.items():
        print(f"{name:24} {count:3}   " + "   ".join(f"{form} {agree[name, form]}" for form in FORMS))
    print(f"{len(vectors)} vectors: " + ", ".join(f"{f} {sum(agree[n, f] for n in total)}" for f in FORMS))
    return int(any(agree[name, form] < count for name, count in total.items() for form in FORMS))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
