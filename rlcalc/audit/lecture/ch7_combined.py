"""Chapter 7: the clipping parameter in use, the combined objective, the entropy bonus."""

from __future__ import annotations

from typing import Any

from rlcalc.audit.evidence import Evidence, Exact, Fact, Findings, Identity, Sign, reading
from rlcalc.audit.lecture.ch8_settings import SOURCE, typical, values
from rlcalc.audit.proofs import answer, positives, unit
from rlcalc.audit.registry import Corruption, Statement, claim


@claim(
    "L7.2-eps-0.2",
    about="0.2",
    low="0.1",
    high="0.2",
    corruptions=[
        Corruption("about 0.5", about="0.5"),
        Corruption("typically 0.3 to 0.5", low="0.3", high="0.5"),
    ],
)
def eps_in_use(s: Statement) -> Findings:
    """0.2 is the commonest published value, and both statements agree with each other."""
    from collections import Counter
    from fractions import Fraction

    most = Counter(values("eps")).most_common(1)[0][0]
    return Findings(
        literal=[
            Fact("ε that most published settings have", most, "=", Fraction(s.about), SOURCE),
            typical("eps", s.low, s.high),
            Fact(
                "the one value against the range of the other section",
                Fraction(s.about),
                "<=",
                Fraction(s.high),
                SOURCE,
            ),
            Fact("at its upper end or inside", Fraction(s.about), ">=", Fraction(s.low), SOURCE),
        ]
    )


@claim(
    "L7.3-combined",
    called="loss",
    signs=(1, -1, 1),
    corruptions=[
        Corruption("called an objective, to be maximised", called="objective"),
        Corruption("critic's loss added", signs=(1, 1, 1)),
        Corruption("entropy subtracted", signs=(1, -1, -1)),
    ],
)
def combined(s: Statement) -> Findings:
    """A loss is made small; made small, this would worsen all three parts."""
    clip, critic, entropy, c1, c2 = positives("a b h c_1 c_2")
    total = s.signs[0] * clip + s.signs[1] * c1 * critic + s.signs[2] * c2 * entropy

    def better(way: int) -> list[Evidence]:
        words = "larger" if way > 0 else "smaller"
        return [
            Sign(f"a better policy (larger L^CLIP) makes it {words}", way * total.diff(clip), "c_1, c_2 > 0"),
            Sign(f"a better critic makes it {words}", -way * total.diff(critic), "c_1 > 0"),
            Sign(f"more entropy makes it {words}", way * total.diff(entropy), "c_2 > 0"),
        ]

    if s.called == "objective":
        return Findings(literal=better(1))
    scenario = {"eps": "0.2", "ratio": "1.5", "adv": "5"}
    parts = {"clip": "6", "critic": "34", "entropy": "0", "c1": "1/2", "c2": "1/100"}
    return Findings(
        literal=better(-1),
        repair=reading(
            "It is the objective, to be maximised; the loss is its negative. The coefficients c_1 and c_2, "
            "at least 0, have to be chosen.",
            better(1),
            unchanged=[
                Exact("L^CLIP of section 7.4", answer("ppo_clip", **scenario), "=", "6.0"),
                Exact(
                    "loss = −objective for L^CLIP = 6, L^critic = 34, c_1 = 1/2",
                    answer("ppo_loss", "loss", **parts),
                    "=",
                    -answer("ppo_loss", "objective", **parts),
                ),
            ],
            latex=r"\max_{\theta, \phi} L^{\text{CLIP}}(\theta) - c_1 L^{\text{critic}}(\phi) + c_2 H",
        ),
    )


def softmax3() -> tuple[Any, Any]:
    """Weights x_i = exp(θ_i) of three actions, and their probabilities; ∂/∂θ_i is x_i ∂/∂x_i."""
    weights = positives("x_1 x_2 x_3")
    return weights, tuple(each / sum(weights) for each in weights)


@claim(
    "L7.3-entropy",
    sign=1,
    corruptions=[Corruption("entropy subtracted: certainty is rewarded", sign=-1)],
)
def entropy(s: Statement) -> Findings:
    """The bonus lifts the rarer action, and makes softmax(Q/c_2) the best policy of one state."""
    import sympy

    weights, chances = softmax3()
    total = -sum(p * sympy.log(p) for p in chances)
    found: list[Evidence] = [
        Identity(
            f"∂H/∂θ_{i + 1} = −π_{i + 1}(log π_{i + 1} + H)",
            sympy.expand_log(x * total.diff(x)),
            sympy.expand_log(-p * (sympy.log(p) + total)),
            "three actions, all preferences",
        )
        for i, (x, p) in enumerate(zip(weights, chances, strict=True))
    ]
    # two actions: the rarer one has probability 1/(2 + u)
    rare = 1 / (2 + positives("u"))
    c = positives("c")
    push = sympy.simplify((1 - rare) / rare)
    found.append(
        Sign("two actions: the bonus grows with the rarer action", s.sign * sympy.log(push), "0 < p < 1/2")
    )
    # one state with Q_i = c log x_i: the gradient of Σ π Q + sign·c·H at π ∝ x
    for x in weights:
        value = sum(p * c * sympy.log(y) for p, y in zip(_free(weights), weights, strict=True))
        value += s.sign * c * -sum(p * sympy.log(p) for p in _free(weights))
        free = _symbol(x)
        slope = (free * value.diff(free)).subs({_symbol(y): y for y in weights})
        found.append(
            Identity(
                f"π ∝ exp(Q/c): ∂(Σ π Q + c H)/∂θ = 0 for {x}",
                sympy.expand_log(sympy.expand(slope)),
                0,
                "one state, three actions, all Q, c > 0: every action keeps a positive probability",
            )
        )
    unsure = unit("p")
    found.append(Sign("H > 0 for two actions", -unsure * sympy.log(unsure), "0 < p < 1; each term"))
    return Findings(literal=found)


def _symbol(x: Any) -> Any:
    return positives(f"{x.name}_free")


def _free(weights: Any) -> tuple[Any, ...]:
    names = [_symbol(x) for x in weights]
    return tuple(each / sum(names) for each in names)
