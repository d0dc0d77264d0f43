"""Chapter 5, sections 5.1 and 5.2: the four stages and what is known of them."""

from __future__ import annotations

from dataclasses import dataclass

from rlcalc.audit.evidence import Exact, Exhaustive, Fact, Findings, reading
from rlcalc.audit.registry import Corruption, Statement, claim
from rlcalc.audit.tables import datasets, pretrained, recipes

PUBLISHED = "specs/claims/language_models.toml"
DOLLARS_AN_HOUR = 2  # of an accelerator, the price that arXiv:2412.19437 reckons with


@dataclass(frozen=True)
class Stage:
    """One stage as the lecture's section 5.2 tells it."""

    name: str
    data: str
    learning: str
    gives: str


STAGES = (
    Stage("pre-training", "text", "supervised", "raw language model"),
    Stage("supervised fine-tuning", "instruction and response", "supervised", "model that answers"),
    Stage("preference fine-tuning", "comparisons", "reinforcement", "answers that people prefer"),
    Stage("reasoning fine-tuning", "tasks with answers", "reinforcement", "better problem solving"),
)


@claim(
    "L5.1-raw-model",
    starts_at=0,
    corruptions=[
        Corruption("the last three stages transform it", starts_at=1),
        Corruption("the last two transform it", starts_at=2),
    ],
)
def raw_model(s: Statement) -> Findings:
    """What the first of the transforming stages starts from."""
    raw = "raw language model"
    given = "nothing" if s.starts_at == 0 else STAGES[s.starts_at - 1].gives
    literal = Fact("the first of these stages starts from", given, "=", raw, "section 5.2")
    if literal.status == "holds":
        return Findings(literal=[literal])
    first = next(at for at, stage in enumerate(STAGES) if stage.gives == raw)
    return Findings(
        literal=[literal],
        repair=reading(
            "Pre-training makes the raw model; the three stages after it make an assistant of it.",
            [
                Fact("the raw model comes out of", STAGES[first].name, "=", "pre-training", "section 5.2"),
                Exact(
                    "what the statement counts among the transforming stages, first", s.starts_at, "<=", first
                ),
            ],
            unchanged=[Exact("stages in all", len(STAGES), "=", 4)],
        ),
    )


@claim(
    "L5.2-pretraining",
    billions=1000,
    dollars=1_000_000,
    objective="next token",
    since=2022,
    corruptions=[
        Corruption("since 2020, GPT-3 included", since=2020),
        Corruption("hundreds of trillions", billions=100_000),
        Corruption("by filling in blanks", objective="masked token"),
    ],
)
def pretraining(s: Statement) -> Findings:
    """Models whose makers published the figures; hours of hardware count at two dollars each."""
    chosen = [one for one in pretrained() if one.year >= s.since]
    priced = [one for one in chosen if one.hours]
    domain = f"the models since {s.since} in {PUBLISHED}"
    return Findings(
        literal=[
            Exhaustive(
                f"at least {s.billions} billion tokens",
                len(chosen),
                tuple(one.name for one in chosen if one.tokens < s.billions),
                domain,
            ),
            Exhaustive(
                "trained on the " + s.objective,
                len(chosen),
                tuple(one.name for one in chosen if one.objective != s.objective),
                domain,
            ),
            Exhaustive(
                f"hours of hardware worth at least {s.dollars} dollars",
                len(priced),
                tuple(one.name for one in priced if DOLLARS_AN_HOUR * one.hours < s.dollars),
                f"{domain}, as far as hours are published",
            ),
        ]
    )


@claim(
    "L5.2-sft",
    last_supervised="supervised fine-tuning",
    data="instruction and response",
    corruptions=[
        Corruption("the boundary lies after pre-training", last_supervised="pre-training"),
        Corruption("it learns from comparisons", data="comparisons"),
    ],
)
def sft(s: Statement) -> Findings:
    kinds = [stage.learning for stage in STAGES]
    last = max(at for at, kind in enumerate(kinds) if kind == "supervised")
    with_demonstrations = {name for name, one in recipes().items() if "demonstrations" in one.steps}
    return Findings(
        literal=[
            Fact("the last supervised stage", STAGES[last].name, "=", s.last_supervised, "section 5.2"),
            Fact("all later ones", set(kinds[last + 1 :]), "=", {"reinforcement"}, "section 5.2"),
            Fact("it learns from", STAGES[1].data, "=", s.data, "section 5.2"),
            Fact("demonstrations come first in", "InstructGPT", "in", with_demonstrations, PUBLISHED),
        ]
    )


@claim(
    "L5.2-rlhf",
    steps=("reward model from comparisons", "reinforcement learning"),
    optimiser="PPO",
    corruptions=[
        Corruption("the other way round", steps=("reinforcement learning", "reward model from comparisons")),
        Corruption("with TRPO", optimiser="TRPO"),
    ],
)
def rlhf(s: Statement) -> Findings:
    """All four recipes of the table that use PPO on comparisons have these two steps at their end."""
    chosen = [one for one in recipes().values() if one.year <= 2023 and "PPO" in one.optimisers]
    return Findings(
        literal=[
            Exhaustive(
                f"{' then '.join(s.steps)}, by {s.optimiser}",
                len(chosen),
                tuple(
                    one.name
                    for one in chosen
                    if tuple(one.steps[-2:]) != s.steps or one.optimisers != (s.optimiser,)
                ),
                f"{', '.join(one.name for one in chosen)} in {PUBLISHED}",
            )
        ]
    )


@claim(
    "L5.2-reasoning",
    names=("GSM8K", "MATH"),
    further="coding",
    checks=("final answer", "unit tests"),
    corruptions=[
        Corruption("a set that nobody published", names=("GSM8K", "MATH9")),
        Corruption("checked by people", checks=("comparison",)),
    ],
)
def reasoning(s: Statement) -> Findings:
    named = {one.name: one for one in datasets()}
    return Findings(
        literal=[
            Fact("both sets are published", set(s.names), "subset", set(named), PUBLISHED),
            Fact("and there are programming tasks", s.further, "in", {one.subject for one in datasets()}),
            Exhaustive(
                "checked by " + " or ".join(s.checks),
                len(named),
                tuple(name for name, one in named.items() if one.checked_by not in s.checks),
                f"the sets in {PUBLISHED}: {', '.join(named)}",
            ),
        ]
    )


@claim(
    "L5.2-final-answer",
    subjects=("math", "coding"),
    corruptions=[Corruption("in mathematics only", subjects=("math",))],
)
def final_answer(s: Statement) -> Findings:
    """A program has no final answer: its tests pass or fail."""
    chosen = [one for one in datasets() if one.subject in s.subjects]
    other = {one.checked_by for one in chosen} - {"final answer"}
    literal = Exhaustive(
        "the final answer is compared",
        len(chosen),
        tuple(one.name for one in chosen if one.checked_by != "final answer"),
        f"{', '.join(one.name for one in chosen)}",
    )
    if literal.status == "holds":
        return Findings(literal=[literal])
    return Findings(
        literal=[literal],
        repair=reading(
            "The reward is that the answer passes its check: the final number in GSM8K and MATH, the unit "
            "tests for programs.",
            [Fact("the other check", other, "=", {"unit tests"}, PUBLISHED)],
            unchanged=[Exact("reward of the example in 5.4, 1 if 3 + 2 is", 3 + 2, "=", 5)],
        ),
    )


@claim("L5.2-results")
def results(s: Statement) -> Findings:
    return Findings(
        unknowable="What people prefer or find helpful is measured by asking them; nothing can compute it."
    )
