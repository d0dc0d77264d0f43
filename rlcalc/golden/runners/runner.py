"""Run one file of vectors on one function: ``python runner.py gae.json my_module:my_gae``.

It takes the inputs by name, returns its answer or a dict of outputs, and refuses by raising ValueError.
"""

import importlib
import json
import math
import sys


def flat(value):
    return [entry for part in value for entry in flat(part)] if isinstance(value, list) else [float(value)]


def is_right(got, right, digits, scale):
    return math.isclose(got, right, rel_tol=10**-digits, abs_tol=10**-digits * (scale or not right))


def problem(function, case, answer, inputs, answers=None, **limits):
    try:
        found = function(**inputs)
    except ValueError:
        return case["result"] != "invalid" and "was refused"
    if case["result"] == "invalid":
        return f"was not refused ({case['error']})"
    outputs = found if isinstance(found, dict) else {answer: found}
    for name in (name for name in answers if name in outputs):
        got, right = flat(outputs[name]), flat(answers[name])
        if len(got) != len(right) or not all(map(lambda *pair: is_right(*pair, **limits), got, right)):
            return f"{name}: {outputs[name]}, not {answers[name]}"


def main(path, name):
    module, attribute = name.split(":")
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    function = getattr(importlib.import_module(module), attribute)
    cases = [case for case in document["cases"] if "float64" in case]
    said = [(case["id"], problem(function, case, document["answer"], **case["float64"])) for case in cases]
    failed = [f"{case}: {words}" for case, words in said if words]
    print(*failed, f"{len(cases) - len(failed)} passed, {len(failed)} failed", sep="\n")
    return len(failed) > 0


if __name__ == "__main__":
    sys.path.insert(0, ".")
    sys.exit(main(*sys.argv[1:]))
