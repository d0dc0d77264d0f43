"""What the commands of LaTeX that the claims use stand for, in Unicode."""

from __future__ import annotations

LETTERS = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε",
    "theta": "θ", "lambda": "λ", "mu": "μ", "nu": "ν", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ",
    "phi": "φ", "varphi": "φ", "psi": "ψ", "omega": "ω", "eta": "η", "kappa": "κ", "xi": "ξ", "zeta": "ζ",
    "Delta": "Δ", "Gamma": "Γ", "Sigma": "Σ", "Theta": "Θ", "Pi": "Π", "Phi": "Φ", "Omega": "Ω",
    "ell": "ℓ", "infty": "∞", "emptyset": "∅",
}  # fmt: skip
SIGNS = {
    "cdot": "·", "times": "×", "pm": "±", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠",
    "neq": "≠", "approx": "≈", "sim": "∼", "equiv": "≡", "to": "→", "rightarrow": "→", "leftarrow": "←",
    "gets": "←", "Rightarrow": "⇒", "implies": "⇒", "iff": "⇔", "mapsto": "↦", "in": "∈", "notin": "∉",
    "subset": "⊂", "subseteq": "⊆", "cup": "∪", "cap": "∩", "oplus": "⊕", "circ": "∘", "mid": "|",
    "vert": "|",
    "lvert": "|", "rvert": "|", "Vert": "‖", "|": "‖", "nabla": "∇", "partial": "∂", "forall": "∀",
    "exists": "∃", "ldots": "…", "dots": "…", "cdots": "⋯", "{": "{", "}": "}", "langle": "⟨",
    "rangle": "⟩", "ll": "≪", "gg": "≫", "propto": "∝", "land": "∧", "lor": "∨", "colon": ":", "%": "%",
    "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "not": "¬", "prime": "′", "setminus": "∖",
}  # fmt: skip
LARGE = {"sum": "∑", "prod": "∏", "int": "∫"}  # indices stand above and below
WORDS = (
    "log",
    "exp",
    "max",
    "min",
    "lim",
    "sup",
    "inf",
    "arg",
    "det",
    "dim",
    "sin",
    "cos",
    "Pr",
    "ln",
    "tanh",
)
LIMITS = ("max", "min", "lim", "sup", "inf")
SPACES = {"quad": "1em", "qquad": "2em", ",": "0.17em", ";": "0.28em", ":": "0.22em", " ": "0.25em", "!": "0"}
ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~", "vec": "→", "overline": "¯", "widehat": "^"}
STYLED = {"mathrm", "text", "operatorname", "mathbf", "mathit", "mathsf", "boldsymbol", "textbf"}
DOUBLE = {"E": "𝔼", "R": "ℝ", "N": "ℕ", "P": "ℙ", "1": "𝟙", "Z": "ℤ"}
SCRIPT = {"V": "𝒱", "S": "𝒮", "A": "𝒜", "L": "ℒ", "D": "𝒟", "H": "ℋ"}
IGNORED = {
    "left",
    "right",
    "bigl",
    "bigr",
    "Bigl",
    "Bigr",
    "big",
    "Big",
    "displaystyle",
    "limits",
    "nolimits",
}
