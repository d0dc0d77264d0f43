"""The names that the grammar knows, and what to write instead of signs that it does not."""

from __future__ import annotations

from typing import Final

GREEK_LETTERS: Final = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "ο": "omicron",
    "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
}  # fmt: skip
GREEK: Final = (*GREEK_LETTERS.values(), "lam", "eps", "varepsilon", "varphi")
FUNCTIONS: Final = ("sqrt", "exp", "log", "ln", "abs", "min", "max")
NOT_FINITE: Final = {"nan", "inf", "infinity", "infty", "oo", "zoo"}
LOOKALIKES: Final = {
    "\u2212": "-", "\u2013": "-", "\u2014": "-", "\u00d7": "*", "\u00b7": "*", "\u22c5": "*", "\u00f7": "/",
    "\u2044": "/", "\u2215": "/", "\u00a0": "a plain space", "\u202f": "a plain space", "\u221a": "sqrt(...)",
    "\u201a": ".", "\u066b": ".", "\u00bd": "1/2", "\u00bc": "1/4", "\u00be": "3/4", "\u2153": "1/3",
    "π": "pi",
}  # fmt: skip
