"""A LaTeX formula as one line of plain text."""

from __future__ import annotations

import re

_SIGNS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "lambda": "λ", "theta": "θ",
    "phi": "φ", "pi": "π", "rho": "ρ", "sigma": "σ", "mu": "μ", "tau": "τ", "eta": "η", "Delta": "Δ",
    "infty": "∞", "nabla": "∇", "partial": "∂", "sum": "Σ", "prod": "Π", "cdot": "·", "times": "×",
    "cdots": "…", "ldots": "…", "le": "≤", "ge": "≥", "ne": "≠", "approx": "≈", "to": "→", "leftarrow": "←",
    "gets": "←", "in": "∈", "notin": "∉", "sim": "~", "implies": "⟹", "oplus": "⊕", "mid": "|",
    "prime": "'", "quad": " ", "qquad": " ", "left": "", "right": "", "big": "", "Big": "", ",": " ",
    ";": " ", "!": "", " ": " ", "|": "‖", "\\": "; ", "log": "log ", "ln": "ln ", "exp": "exp",
    "max": "max", "min": "min", "colon": ":", "{": "{", "}": "}",
}  # fmt: skip
_WORDS = re.compile(r"\\(?:text|operatorname|mathrm|mathbb|mathcal|mathbf)\{([^{}]*)\}")
_FRACTION = re.compile(
    r"\\frac\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}\{((?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*)\}"
)
_TABLE = re.compile(r"\\(?:begin|end)\{[a-z]*\}|&")
_HAT = re.compile(r"\\hat\{([^{}]*)\}")


def plain_text(latex: str) -> str:
    """``\\sum_{n=1}^{N} \\lambda^{n-1}`` -> ``Σ_{n=1}^{N} λ^{n−1}``."""
    text = _TABLE.sub(" ", _WORDS.sub(lambda m: m[1].replace(r"\,", " "), latex))
    text = _HAT.sub(lambda m: f"{m[1]}̂", text)
    while (changed := _FRACTION.sub(lambda m: f"{_whole(m[1])}/{_whole(m[2])}", text)) != text:
        text = changed
    # the space that ends a command is no space of the formula, but before a sign it was meant as one
    text = re.sub(r"\\([a-zA-Z]+|.)( (?![=<>+-]))?", lambda m: _SIGNS.get(m[1], m[1]), text)
    text = re.sub(r"[≤≥≠≈→←∈∉⟹]", r" \g<0> ", text)
    text = re.sub(r"([_^])\{([^{}])\}", r"\1\2", text).replace("-", "−")
    return " ".join(text.split())


def _whole(part: str) -> str:
    """In brackets where it is more than one factor."""
    return part if re.fullmatch(r"\\?\w+|[^{}+\- ]{1,3}", part.strip()) else f"({part.strip()})"
