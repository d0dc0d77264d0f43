"""Command lines of the calculator: right ones, nearly right ones, and ones that mean harm."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction

from rlcalc.specs import Formula, Parameter, formula_names, load_formula

PLAIN = ["0", "1", "2", "3", "-1", "1/2", "1/3", "0.5", "0.9", "0.99", "1e-3", "-3/4", "10", "7/5", "100"]
ROOTS = ["sqrt(2)", "exp(-1)", "log(2)", "sqrt(2)/2", "exp(1/3)", "pi", "pi/4", "max(1,2)", "abs(-2)"]
LETTERS = ["a", "b", "l", "p", "r", "1-p", "a**2", "a+b", "2*a", "x_1", "lambda", "gamma", "E", "I", "S", "N"]
EXTREME = [
    "1e308", "-1e308", "1e-320", "1e400", "1e11", "1e20", "9" * 60, "1/" + "7" * 80, "0." + "0" * 50 + "1",
    "10**10**10", "((9**9)**9999)**9999", "exp(1e11)", "exp(10000)", "sqrt(" + "9" * 40 + ")", "2**4000",
    "1e999999999", "-1e-999999999", "(a+b+c+d+f)**12", "1267650600228229401496703205653" * 2,
]  # fmt: skip
WRONG = [
    "", " ", "nan", "inf", "-inf", "oo", "zoo", "1,,2", ",", "1;2", "[1,2]", "(1", "1)", "(" * 300, "1 2",
    "--", "-", "1e", "1/0", "0/0", "0x10", "1_000", "١٢", "１", "1\x00", "\x1b[31m", "\x85", "\ud800",
    "[bold]x[/bold]", "true", "None", "__import__('os')", "a.b", "a[0]", "lambda: 0", "'x'", "@nofile", "@",
    "@-", "@/dev/null", "@.", "1j", "uniform", "greedy", "1e5000", "9" * 5000, "a" * 300, "é", "λ", "½", "²",
    "1+", "*", "max()", "log(-1)", "sqrt(-1)",
]  # fmt: skip
SETTINGS = [
    ["--json"], ["-q"], ["--quiet"], ["--latex"], ["--backends", "sympy"], ["--backends", "numpy"],
    ["--backends", "sympy", "numpy"], ["--dtype", "float32"], ["--dtype", "float64"], ["--device", "cpu"],
    ["-h"], ["--help"], ["--digits", "7"], ["--decimal"],
]  # fmt: skip
NONSENSE = [
    ["--dtype", "int"], ["--backends", "jax"], ["--device", "tpu"], ["--nonsense"], ["stray"],
    ["--steps", "none"],  # an input of some commands
]  # fmt: skip

Draw = Callable[[random.Random], str]


def _from(*pools: list[str]) -> Draw:
    return lambda chance: chance.choice(chance.choice(pools))


MOODS: list[tuple[int, Draw]] = [
    (45, _from(PLAIN)),
    (15, _from(PLAIN, ROOTS)),
    (15, _from(PLAIN, LETTERS)),
    (10, _from(ROOTS, LETTERS, PLAIN)),
    (8, _from(PLAIN, EXTREME)),
    (7, _from(PLAIN, WRONG)),
]


def command_line(chance: random.Random) -> list[str]:
    """One command line; the same one for the same state of ``chance``."""
    formula = load_formula(chance.choice(formula_names()))
    draw = chance.choices([mood for _, mood in MOODS], [weight for weight, _ in MOODS])[0]
    length = chance.choice([1, 2, 2, 3, 3, 4, 8, 30])
    words = [formula.command]
    # one way of giving the inputs, or now and then several at once
    form = chance.choice(formula.forms) if formula.forms and chance.random() < 0.9 else None
    others = {name for other in formula.forms for name in other.parameters} if form else set()
    for parameter in formula.parameters:
        in_form = form is not None and parameter.name in form.parameters
        if parameter.name in others and not in_form:
            continue
        if chance.random() < (0.95 if parameter.required or in_form else 0.25):
            words += _option(formula, parameter, draw, length, chance)
    if chance.random() < 0.5:
        words += chance.choice(NONSENSE if chance.random() < 0.1 else SETTINGS)
    if chance.random() < 0.03:
        chance.shuffle(words)
    if chance.random() < 0.03:
        words.insert(chance.randrange(len(words) + 1), chance.choice(WRONG))
    return words


def _option(
    formula: Formula, parameter: Parameter, draw: Draw, length: int, chance: random.Random
) -> list[str]:
    name = parameter.option
    if parameter.is_switch:
        return [name]
    if parameter.kind == "mdp":
        return [name, chance.choice(["grid2x2", "bandit", "two-state", "nosuch.toml", "/dev/null", "."])]
    if parameter.is_text:
        texts = [
            "A 1 B; B 2 end",
            "A l 1 B; B r -2 end",
            "A l 1",
            "A 1 B 2; B x3",
            "1/2",
            "A 1",
            "@nosuch",
            ";",
        ]
        return [name, chance.choice(texts)]
    if parameter.choices and chance.random() < 0.8:
        return [name, chance.choice(list(parameter.choices))]
    if parameter.kind in ("integer", "count") and chance.random() < 0.9:
        return [name, chance.choice(["0", "1", "2", "3", "5", "inf", "-1", "1000000000000"])]
    draw = _within(parameter, draw)
    if not parameter.shape:
        return [name, draw(chance)]
    count = _extent(parameter.shape[-1], length)
    if chance.random() < 0.05:
        count += chance.choice([-1, 1])
    if parameter.distribution and chance.random() < 0.7:
        weights = [chance.randrange(1, 6) for _ in range(count)]
        values = [f"{weight}/{sum(weights)}" for weight in weights]
    else:
        values = [draw(chance) for _ in range(count)]
    if len(parameter.shape) == 2:
        rows = _extent(parameter.shape[0], length)
        return [name, "; ".join([" ".join(values)] * rows)]
    return [name, ",".join(values)] if chance.random() < 0.2 else [name, *values]


def _within(parameter: Parameter, draw: Draw) -> Draw:
    """Mostly numbers that lie in the domain, where it has ends."""
    domain = parameter.domain
    low, high = domain.low, domain.high
    inside = [
        text
        for text in PLAIN
        if (low is None or Fraction(text) > low) and (high is None or Fraction(text) < high)
    ]
    if not inside or (low is None and high is None):
        return draw
    return lambda chance: chance.choice(inside) if chance.random() < 0.8 else draw(chance)


def _extent(dimension: str, length: int) -> int:
    """How long an axis called T, T+1, n ... is."""
    base, _, more = dimension.partition("+")
    return int(base) if base.isdigit() else length + int(more or 0)
