"""Ways to alter a formula that change what it says: no one picks them to fit.

One alteration at a time: a relation, a sign, an index or exponent, max or
min, a number.
"""

from __future__ import annotations

from collections.abc import Iterator

from rlcalc.audit.formula.reader import RELATIONS, tokens_of

_OTHERS = ("=", r"\ne", "<", r"\le", ">", r"\ge")
_BEFORE_SIGN = {"(", "[", "{", ",", "|", "^", "_", r"\quad", "&", r"\\"} | set(RELATIONS)
_WORDS = (r"\text", r"\operatorname", r"\mathbb", r"\mathcal", r"\hat", r"\begin", r"\end")


def altered(latex: str) -> dict[str, str]:
    """What was altered -> the altered formula."""
    tokens = tokens_of(latex)
    found: dict[str, str] = {}
    for at, about, replacement in _alterations(tokens):
        first, last = at
        changed = "".join(_spaced([*tokens[:first], *replacement, *tokens[last:]]))
        found.setdefault(f"{about}, place {first + 1}", changed)
    return found


def _alterations(tokens: list[str]) -> Iterator[tuple[tuple[int, int], str, list[str]]]:
    words = _words(tokens)
    for at, token in enumerate(tokens):
        here = (at, at + 1)
        if at in words:
            continue
        if token in RELATIONS:
            others = [other for other in _OTHERS if other != token]
            for other in others if token in _OTHERS else (r"\ne",):
                yield here, f"{token} becomes {other}", [other]
        elif token == "+":
            yield here, "+ becomes −", ["-"]
        elif token == "-":
            is_first = at == 0 or tokens[at - 1] in _BEFORE_SIGN
            yield here, "− is left out" if is_first else "− becomes +", [] if is_first else ["+"]
        elif token in (r"\max", r"\min"):
            other = {r"\max": r"\min", r"\min": r"\max"}[token]
            yield here, f"{token} becomes {other}", [other]
        elif token in ("_", "^") and at + 1 not in words:
            end = _end(tokens, at + 1)
            inner = tokens[at + 1 : end]
            inner = inner[1:-1] if inner[0] == "{" else inner
            if inner and inner[0] == "(" and inner[-1] == ")":
                yield (at + 1, end), "index plus 1", ["{", *inner[:-1], "+", "1", ")", "}"]
            elif inner and not set(inner) & {r"\text", r"\prime", r"\infty", *RELATIONS}:
                yield (
                    (at + 1, end),
                    "index plus 1" if token == "_" else "exponent plus 1",
                    ["{", *inner, "+1", "}"],
                )
        elif token[0].isdigit():
            yield here, f"{token} becomes {token} + 1", [_next(token)]


def _next(number: str) -> str:
    whole, point, rest = number.partition(".")
    return f"{int(whole) + 1}{point}{rest}"


def _end(tokens: list[str], start: int) -> int:
    """The place after the group or the one token that begins at ``start``."""
    depth = 0
    for at in range(start, len(tokens)):
        depth += (tokens[at] == "{") - (tokens[at] == "}")
        if depth == 0 and tokens[at] != r"\text":
            return at + 1
    return len(tokens)


def _words(tokens: list[str]) -> set[int]:
    """Places that hold words, which are no part of the mathematics."""
    return {
        place
        for at, token in enumerate(tokens)
        if token in _WORDS
        for place in range(at, _end(tokens, at + 1))
    }


def _spaced(tokens: list[str]) -> Iterator[str]:
    for token, after in zip(tokens, [*tokens[1:], ""], strict=True):
        yield token
        if token.startswith("\\") and after[:1].isalpha():
            yield " "
