"""Run one file of vectors on one function: ``python runner.py gae.json my_module:my_gae``.

The function takes the inputs by name and returns its answer, or a dict of outputs by name;
it refuses an input that it cannot take by raising ValueError.
"""

import importlib
import json
import math
import sys


def flat(value):
    return [entry for part in value for entry in flat(part)] if isinstance(value, list) else [float(value)]


def is_right(got, right, digits, scale):
    if math.isinf(right) or got == right:
        return got == right
    return abs(got - right) <= 10**-digits * (max(abs(right), scale) or 1)


def problem(function, case, answer):
    try:
        found = function(**case["float64"]["inputs"])
    except ValueError:
        return "" if case["result"] == "invalid" else "was refused"
    if case["result"] == "invalid":
        return f"was not refused ({case['error']})"
    outputs = found if isinstance(found, dict) else {answer: found}
    right, limits = case["float64"]["answers"], (case["float64"]["digits"], case["float64"]["scale"])
    for name in [name for name in right if name in outputs]:
        pairs = list(zip(flat(outputs[name]), flat(right[name]), strict=False))
        if len(pairs) != len(flat(right[name])) or not all(is_right(*pair, *limits) for pair in pairs):
            return f"{name}: {outputs[name]}, not {right[name]}"
    return ""


def main(path, name):
    module, _, attribute = name.partition(":")
    function = getattr(importlib.import_module(module), attribute)
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    cases = [case for case in document["cases"] if "float64" in case]
    failed = [(case["id"], said) for case in cases if (said := problem(function, case, document["answer"]))]
    for case, said in failed:
        print(f"{case}: {said}")
    print(f"{len(cases) - len(failed)} passed, {len(failed)} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.path.insert(0, ".")
    sys.exit(main(*sys.argv[1:]))
