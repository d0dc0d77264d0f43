"""The summary: what the lecture says of itself, against its chapters."""

from __future__ import annotations

from rlcalc.audit.evidence import Exact, Exhaustive, Fact, Findings, reading
from rlcalc.audit.proofs import answer, nothing_printed
from rlcalc.audit.registry import Corruption, Statement, claim
from rlcalc.audit.tables import algorithms, recipes

# what each chapter is about
CHAPTERS = {
    1: "n-step returns",
    2: "TD(λ)",
    3: "kinds of algorithms",
    4: "REINFORCE",
    5: "language models",
    6: "advantages",
    7: "PPO",
    8: "PPO in full",
}
ORDER = ("pre-training", "supervised", "preferences", "reasoning")
OWN = "the lecture's headings"


@claim(
    "L0-starts-from-tdlambda",
    first="TD(λ)",
    corruptions=[
        Corruption("it starts with n-step returns", first="n-step returns"),
        Corruption("it starts with PPO", first="PPO"),
    ],
)
def starts(s: Statement) -> Findings:
    """n-step returns come first; TD(λ) is their weighted mean."""
    literal = Fact("the first chapter is about", CHAPTERS[1], "=", s.first, OWN)
    if literal.status == "holds":
        return Findings(literal=[literal])
    mean = answer("lambda_return", rewards=["1", "2", "3"], gamma="1", lam="1/2")
    return Findings(
        literal=[literal],
        repair=reading(
            "It starts with n-step returns, of which TD(λ), in chapter 2, takes a weighted mean.",
            [
                Fact("the second chapter is about", CHAPTERS[2], "=", s.first, OWN),
                Exact(
                    "2.4: 1/2 of the first n-step return, 1/4 of the second, 1/4 of the third",
                    mean,
                    "=",
                    "1/2*1 + 1/4*3 + 1/4*6",
                ),
            ],
            unchanged=[Exact("the λ-return of 2.4", mean, "=", "2.75")],
        ),
    )


@claim(
    "L0-taxonomy-three",
    kinds=("value-based", "policy-based", "model-based"),
    corruptions=[
        Corruption(
            "the model-free ones, with the hybrids", kinds=("value-based", "policy-based", "actor-critic")
        ),
        Corruption("tabular and deep ones", kinds=("tabular", "deep")),
    ],
)
def three_kinds(s: Statement) -> Findings:
    """Counted per algorithm: on how many entries of the list it belongs."""

    def places(name: str) -> int:
        one = algorithms()[name]
        return (one.category in s.kinds) + ("model-based" in s.kinds and not one.model_free)

    free = [name for name, one in algorithms().items() if one.model_free]
    chosen = list(algorithms()) if "model-based" in s.kinds else free
    literal = Exhaustive(
        "on exactly one of " + ", ".join(s.kinds),
        len(chosen),
        tuple(name for name in chosen if places(name) != 1),
        "the algorithms of specs/claims/algorithms.toml",
    )
    if literal.status == "holds":
        return Findings(literal=[literal])
    return Findings(
        literal=[literal],
        repair=reading(
            "Two questions, as section 3.2 has it: with a model or without; and what is learned, values, a "
            "policy or both (actor-critic). Dyna-Q is value-based and model-based, PPO neither of the three.",
            [
                Fact("Dyna-Q learns values with a model", places("Dyna-Q"), "=", 2),
                Fact("PPO stands nowhere on the list", places("PPO"), "=", 0),
                Exhaustive(
                    "exactly one kind by what it learns",
                    len(algorithms()),
                    tuple(
                        name
                        for name, one in algorithms().items()
                        if one.category not in ("value-based", "policy-based", "actor-critic")
                    ),
                    "the same algorithms",
                ),
            ],
            unchanged=[nothing_printed("0")],
        ),
    )


@claim(
    "L0-chapter-order",
    order=("kinds of algorithms", "REINFORCE", "advantages", "PPO"),
    corruptions=[
        Corruption("PPO before advantages", order=("kinds of algorithms", "REINFORCE", "PPO", "advantages")),
        Corruption("a chapter on exploration", order=("kinds of algorithms", "exploration", "PPO")),
    ],
)
def chapter_order(s: Statement) -> Findings:
    """The chapter on language models stands between them; the summary names it apart."""
    found = [topic for topic in CHAPTERS.values() if topic in s.order]
    return Findings(literal=[Fact("chapters in this order", tuple(found), "=", s.order, OWN)])


@claim(
    "L0-ppo-rlhf-chatgpt",
    optimiser="PPO",
    system="ChatGPT",
    corruptions=[
        Corruption("TRPO instead", optimiser="TRPO"),
        Corruption("DeepSeek-R1 instead of ChatGPT", system="DeepSeek-R1"),
    ],
)
def chatgpt(s: Statement) -> Findings:
    one = recipes()[s.system]
    return Findings(
        literal=[
            Fact(f"{s.system} as published was tuned by", one.optimisers, "=", [s.optimiser], one.source),
            Fact(
                "against a reward model of human comparisons",
                "reward model from comparisons",
                "in",
                one.steps,
            ),
        ]
    )


@claim(
    "L0-four-stages-order",
    summary=ORDER,
    picture=ORDER,
    stages=ORDER,
    takeaways=ORDER,
    corruptions=[
        Corruption("takeaways with preferences last", takeaways=(*ORDER[:2], ORDER[3], ORDER[2])),
        Corruption("a picture without its supervised stage", picture=(ORDER[0], *ORDER[2:])),
        Corruption("stages numbered backwards", stages=ORDER[::-1]),
    ],
)
def four_stages(s: Statement) -> Findings:
    """The four lists, each against the stages of chapter 5."""
    from rlcalc.audit.lecture.ch5 import STAGES

    places = {"0": s.summary, "5.1": s.picture, "5.2": s.stages, "9": s.takeaways}
    initials = [name[:4] for name in ORDER]
    return Findings(
        literal=[
            Exhaustive(
                "the same four stages in the same order",
                len(places),
                tuple(f"section {where}" for where, order in places.items() if order != ORDER),
                "the places where the lecture lists them: sections 0, 5.1, 5.2 and 9",
            ),
            Fact("and so they come in 5.2", [stage.name[:4] for stage in STAGES], "=", initials),
        ]
    )


@claim("L0-exam-scope")
def exam_scope(s: Statement) -> Findings:
    return Findings(unknowable="What a professor said about an exam cannot be found out from the lecture.")


@claim(
    "L0-exam-lists",
    out_from=2,
    inside=("MDP", "value functions", "Q-functions", "Monte Carlo", "TD(0)", "policy iteration"),
    corruptions=[
        Corruption("out from chapter 1 on", out_from=1),
        Corruption("out from chapter 3 on", out_from=3),
    ],
)
def exam_lists(s: Statement) -> Findings:
    """n-step returns come before TD(λ) and are not among the topics of earlier lectures."""
    nowhere = [topic for at, topic in CHAPTERS.items() if at < s.out_from and topic not in s.inside]
    literal = Fact("chapters on neither side", nowhere, "=", [], OWN)
    if literal.status == "holds":
        return Findings(literal=[literal])
    return Findings(
        literal=[literal],
        repair=reading(
            "'Content from this lecture' takes in chapter 1 too: n-step returns stand before TD(λ) and are "
            "not named as earlier material.",
            [Fact("the only chapter that its words leave open", nowhere, "=", [CHAPTERS[1]], OWN)],
            unchanged=[nothing_printed("0")],
        ),
    )
