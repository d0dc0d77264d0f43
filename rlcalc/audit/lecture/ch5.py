"""Chapter 5, sections 5.3 to 5.5: writing text as a decision process, and what makes a process Markov."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import product
from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import vector
from rlcalc.audit.claims import load_claims
from rlcalc.audit.formula.reader import read
from rlcalc.audit.formula.tie import names_in
from rlcalc.audit.proofs import answer, index, positives, reals
from rlcalc.audit.registry import Statement, claim
from rlcalc.audit.tables import recipes, row
from rlcalc.mdp.reading import read_mdp

APPLES = "token_mdp/lecture-5.4"  # the answer of 5.4, thirteen words, reward 1 at its end
TEXTS = "every answer of one or two tokens out of 3, 4 and 5"


def answers() -> list[tuple[str, list[str]]]:
    """Prompts with answers: that of 5.4, and ``TEXTS``."""
    case = vector(APPLES)
    short = [list(tokens) for length in (1, 2) for tokens in product("345", repeat=length)]
    return [(case.given["prompt"], case.given["tokens"]), *(("prompt", tokens) for tokens in short)]


@claim("L5.3-state", late=0)
def state(s: Statement, show: ev.Findings) -> None:
    """The calculator appends token by token; the state at t is written out."""
    found = []
    for prompt, tokens in answers():
        states = answer("token_mdp", "states", prompt=prompt, tokens=tokens)
        words = [prompt, *tokens]
        for at, one in enumerate(states):
            found.append((f"S_{at} of {' '.join(words)}", one == " ".join(words[: at + 1 + s.late])))
    show.literal.exhaustive(
        "the prompt and the tokens up to the one chosen in the state before it are the state",
        found,
        f"the states of the answer in 5.4 and of {TEXTS}",
    )


@claim("L5.3-vocab", size=100_000)
def vocabulary(s: Statement, show: ev.Findings) -> None:
    real = row("tokenizers", "cl100k_base")
    show.literal.fact(f"size of {real.name}, {real.size}, to one digit", real.about, "=", s.size, real.source)


@claim("L5.3-deterministic", world=Choice("tokens", "grid2x2:slip=1/5"), appended=0, last=-1)
def deterministic(s: Statement, show: ev.Findings) -> None:
    """Appending is a function, so the chances of a text are the policy's alone."""
    world = read_mdp(str(s.world))
    moves = list(product(world.non_terminal, range(len(world.actions))))
    case, texts, before = vector(APPLES), two_steps(world), positives("P")
    likeliest = sympy.Rational(min(max(world.p[i][a]) for i, a in moves))
    words, states = case.given["tokens"], case.answer("states")
    show.literal.exhaustive(
        "one successor, with probability 1",
        [(f"{world.states[i]}, {world.actions[a]}", 1 in world.p[i][a]) for i, a in moves],
        f"the states and actions of {s.world}",
    )
    show.literal.exhaustive(
        "the state with the token appended is the next one",
        [
            (
                f"S_{k + 1}",
                states[k + 1 : k + 2] == [f"{states[k]} {one}" for one in words[k + s.appended :][:1]],
            )
            for k in range(len(words))
        ],
        "the steps of the answer in 5.4",
    )
    show.literal.exhaustive(
        "so the chance is the product of the policy's chances f_0 … f_(T−1), whatever they are",
        [(name, chance == sympy.prod(FACTORS[: 3 + s.last])) for name, chance in texts],
        f"two steps of {s.world}, T = 2",
    )
    show.literal.induction(
        "and at every length: a step more, into its likeliest successor, multiplies by f_T alone",
        base=(ev.Identity("T = 0: the number of factors", 1 + s.last, 0),),
        step=(ev.Identity("T → T + 1", before * FACTORS[0] * likeliest, before * FACTORS[0]),),
        over="T ≥ 0, any policy and vocabulary",
        variable="T",
    )


FACTORS = sympy.symbols("f_0:4")  # the policy's chances of the actions at times 0, 1, …


def two_steps(world: Any) -> list[tuple[str, Any]]:
    """Every way through two steps from the start, with its chance under a policy that is left open."""
    found = []
    count = range(len(world.actions))
    for first, here, second, there in product(count, world.non_terminal, count, range(len(world.states))):
        for start in (i for i, chance in enumerate(world.start) if chance):
            moved = world.start[start] * world.p[start][first][here] * world.p[here][second][there]
            if moved:
                path = f"{world.actions[first]} {world.actions[second]} to {world.states[there]}"
                found.append((path, FACTORS[0] * FACTORS[1] * sympy.Rational(moved)))
    return found


@claim("L5.3-policy", normalised=True)
def policy(s: Statement, show: ev.Findings) -> None:
    """exp(z) is written as a positive number; the rest of the vocabulary is one more."""
    token, rest = positives("u w")
    total = token + rest if s.normalised else 1
    show.fill(below=r"\sum_{b} \exp(z_b)" if s.normalised else 1)
    show.literal.identity("all probabilities add up to 1", token / total + rest / total, 1, "any vocabulary")
    show.literal.sign("each is positive", token / total, "any preferences")
    show.literal.sign("and below 1", 1 - token / total, "at least two tokens")


@claim("L5.3-sparse-reward", kind=Choice("checked answer", "reward model"), right=1, wrong=0)
def sparse_reward(s: Statement, show: ev.Findings) -> None:
    """Right for an answer that is checked; the stage before is rewarded by a model, with any number."""
    scored = recipes()["InstructGPT"]
    show.against.fact(
        f"in stage 3 InstructGPT has no {s.kind} for a reward",
        s.kind,
        "not in",
        scored.rewards,
        scored.source,
    )
    for one in (recipes()["Tülu 3"], recipes()["DeepSeek-R1-Zero"]):
        show.repair.fact(f"in stage 4, rewards of {one.name}", s.kind, "in", one.rewards, one.source)
    show.repair.exact("return of the right answer of 5.4", vector(APPLES).answer(), "=", s.right)
    show.repair.exact("return of a wrong one", vector("token_mdp/wrong-answer").answer(), "=", s.wrong)


@claim("L5.3-chain", first=0, last=0)
def chain(s: Statement, show: ev.Findings) -> None:
    """T actions A_0 … A_{T−1} lead from S_0 to S_T."""
    case = vector(APPLES)
    words, states = case.given["tokens"], case.answer("states")
    counted = [len(one.removeprefix(case.given["prompt"]).split()) for one in states]
    show.literal.exhaustive(
        "t actions lead to the state with t tokens",
        [(f"S_{at}", tokens == at + s.last) for at, tokens in enumerate(counted)],
        "the states of the answer in 5.4",
    )
    show.literal.fact("S_1 in 5.4", states[1], "=", f"{case.given['prompt']} {words[s.first]}")
    show.literal.exact("index of its last state", sympy.Integer(len(states) - 1), "=", len(words) + s.last)


@claim("L5.4-off-by-one", action=0)
def off_by_one(s: Statement, show: ev.Findings) -> None:
    """By the rule of 5.3 an action A_k leads to S_{k+1}."""
    end, case = index("T"), vector(APPLES)
    words, returns = case.given["tokens"], case.answer("returns")
    show.literal.identity("index of the state to which the last action leads", end + s.action + 1, end)
    show.repair.identity("an action numbered one less leads to S_T", (end + s.action - 1) + 1, end, "T ≥ 1")
    show.repair.fact("A_12 of 13", case.answer("actions")[12], "=", words[-1])
    show.unchanged.exact("R in 5.4", returns[-1], "=", 1)


@claim("L5.4-sum", had=3, bought=2, total="5", reward=1)
def apples(s: Statement, show: ev.Findings) -> None:
    case = vector(APPLES)
    show.fill(sum=s.had + s.bought)
    show.literal.exact("apples", s.had + s.bought, "=", s.total)
    show.literal.fact("the last token of the answer", case.given["tokens"][-1], "=", s.total)
    show.literal.exact("return of that answer", case.answer(), "=", s.reward)


@claim("L5.4-single-reward-all-params", relation="=", undiscounted=True)
def single_reward(s: Statement, show: ev.Findings) -> None:
    """G_t = γ^(T−1−t) R: the reward itself for every token only without discount."""
    reward = reals("R")
    gamma = 1 if s.undiscounted else reals("gamma")
    case, long = vector("token_mdp/audit-first-token-discounted"), vector("token_mdp/lecture-5.4-discounted")
    show.against += case.refutes(
        "an answer of two tokens",
        ev.Exact("weight of the first token's score against R", case.answer(), s.relation, 1),
        also=(long,),
        violates=ev.Exact("γ is not 1", case.given["gamma"], "!=", 1),
    )
    show.repair.induction(
        "return of the token k places before the last one, without discount",
        base=(ev.ordered("k = 0: the last token earns R", reward, s.relation, reward),),
        step=(ev.ordered("k → k + 1: no reward, then γ times the next", gamma * reward, s.relation, reward),),
        over="every answer length and R",
        variable="k",
    )
    show.repair.exact("13 words, γ = 0.99: return of the first", long.answer(), "=", Fraction(99, 100) ** 12)


TUPLE = ("S", "A", "P", "R", "gamma")


@claim("L5.5-mdp-tuple", parts=frozenset(TUPLE), averaged=True)
def mdp_tuple(s: Statement, show: ev.Findings) -> None:
    """What the equation for values needs; R(s,a) stands for the mean over successors.

    Objectives such as J need a start besides.
    """
    gamma, p, v, w, r1, r2 = reals("gamma p v w r_1 r_2")
    mean = p * r1 + (1 - p) * r2 if s.averaged else (r1 + r2) / 2
    used = names_in(read(load_claims()["L3.3-bellman-optimality"].formula))
    needed = {name for name in TUPLE if name in used or name.lower() in used}  # s is from S, a from A
    show.fill(tuple=[sympy.Symbol(name) for name in TUPLE if name in s.parts])
    show.literal.fact("what the optimality equation of 3.3 contains", needed, "=", s.parts)
    show.literal.identity(
        "with rewards that depend on the successor too, their mean R(s,a) gives the same value",
        mean + gamma * (p * v + (1 - p) * w),
        p * (r1 + gamma * v) + (1 - p) * (r2 + gamma * w),
        "any discount, two successors (more by splitting one)",
    )


def _joint(memory: bool) -> Callable[..., Any]:
    """Chance of s_0, a_0, s_1, a_1, s_2, each 0 or 1, as a product of symbols.

    The policy's second choice may depend on all that happened. With ``memory``
    the second transition may depend on the first state.
    """
    start, first, second = positives("m_0:2"), positives("f_0:4"), positives("h_0:8")
    move, later = positives("p_0:8"), positives("q_0:16")

    def chance(s0: int, a0: int, s1: int, a1: int, s2: int) -> Any:
        step = later[8 * s0 + 4 * s1 + 2 * a1 + s2] if memory else move[4 * s1 + 2 * a1 + s2]
        choice = second[4 * s0 + 2 * a0 + s1]
        acts = choice if a1 else 1 - choice
        return start[s0] * first[2 * s0 + a0] * move[4 * s0 + 2 * a0 + s1] * acts * step

    return chance


def same_odds(memory: bool, known: str) -> ev.Identity:
    """Odds of the two next states, given the history, and given the present alone.

    The policy remembers; a world of the form P(s'|s,a) forgets all the same.
    Cross-multiplied, nothing is divided.
    """
    chance = _joint(memory)
    history = [chance(0, 0, 1, 1, s2) for s2 in (0, 1)]
    acts = (1,) if known == "state and action" else (0, 1)
    present = [
        sum(chance(s0, a0, 1, a1, s2) for s0, a0, a1 in product((0, 1), (0, 1), acts)) for s2 in (0, 1)
    ]
    return ev.Identity(
        f"given the {known}, the odds of the next states are the same with the history and without",
        history[0] * present[1],
        history[1] * present[0],
        "two states, two actions, two steps; every P(s'|s,a), start and policy, one that remembers too",
    )


@claim("L5.5-markov", memory=False, known=Choice("state and action", "state"))
def markov(s: Statement, show: ev.Findings) -> None:
    """A definition; processes given by P(s'|s,a) have the property."""
    show.fill(present="S_t, A_t" if s.known == "state and action" else "S_t")
    show.literal.append(same_odds(s.memory, s.known))


@claim("L5.5-present-state-only", known=Choice("state", "state and action"))
def present_state(s: Statement, show: ev.Findings) -> None:
    """On the grid two actions in one state have two futures."""
    grid = read_mdp("grid2x2")
    futures: dict[Any, set[Any]] = {}
    for i, a in product(grid.non_terminal, range(len(grid.actions))):
        futures.setdefault(grid.states[i] if s.known == "state" else (i, a), set()).add(grid.p[i][a])
    show.literal.exhaustive(
        f"one distribution of the next state, given the {s.known}",
        [(str(known), len(found) == 1) for known, found in futures.items()],
        "the states before the goal of the grid of 3.4",
    )
    show.repair.append(same_odds(False, "state and action"))
    show.unchanged.exact("R in 5.4", vector(APPLES).answer(), "=", 1)
