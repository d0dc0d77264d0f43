"""Chapter 4: the policy gradient and what its sums run over; the worked step; stochastic ascent."""

from __future__ import annotations

from typing import Any

from rlcalc._lazy import sympy
from rlcalc.audit import evidence as ev
from rlcalc.audit.alter import Choice
from rlcalc.audit.cases import vector
from rlcalc.audit.formula import plain_text, read
from rlcalc.audit.lecture.ch4 import BANDIT, STALE
from rlcalc.audit.policies import Path, TwoSteps, odds_gain
from rlcalc.audit.proofs import answer, entries, index, positives, reals, sequence
from rlcalc.audit.registry import Statement, claim
from rlcalc.exact import symbol, to_text

WORKED = "reinforce_step/lecture-4.4"
NO_GAMMA = "policy_gradient/audit-missing-gamma-t"  # two tokens, discount 1/2
TOKEN_5 = 2


def no_score_on_average(logarithm: bool) -> ev.Induction:
    """E[∇ log π(A|s)] = 0: the partial sums are ∇ of the sum of the probabilities, which is 1 in the end."""
    p = positives("pi")
    slope, total = reals("dpi D")
    term = p * sympy.diff(sympy.log(p) if logarithm else p, p) * slope
    return ev.Induction(
        "Σ π(a) ∇ log π(a) over some actions is ∇ Σ π(a), and over all of them ∇1 = 0",
        base=(ev.Identity("one action", term, slope),),
        step=(ev.Identity("one action more", total + term, total + slope),),
        over="any number of actions, every differentiable policy",
    )


@claim("L4.3-log-derivative-pointwise", power=1, sign=1)
def pointwise(s: Statement, show: ev.Findings) -> None:
    """f · f′/f = f′ wherever log f exists, that is for f > 0."""
    p, slope = positives("f"), reals("df")
    right = s.sign * p**s.power * sympy.diff(sympy.log(p), p) * slope
    show.literal.identity(
        "f ∇ log f = ∇f", right, slope, "every f > 0 and every slope of it, in each component of θ"
    )


@claim("L4.3-pg-theorem", sign=1, weight=Choice("G", "R"), dynamics_fixed=True)
def pg_theorem(s: Statement, show: ev.Findings) -> None:
    """Term by term in general, and summed over a process with everything left as a symbol."""
    world = TwoSteps()

    def weight(path: Path, t: int) -> Any:
        return s.sign * (world.to_go(path, 0) if s.weight == "G" else path.steps[t].reward)

    chance, dynamics = positives("pi P")
    slope, drift, gain = reals("dpi dP G")
    moved = slope * dynamics + (0 if s.dynamics_fixed else chance * drift)
    show.literal.identity(
        "one trajectory: G ∇(P π) = P π · G ∇ log π",
        gain * moved,
        s.sign * dynamics * chance * gain * slope / chance,
        "a trajectory of any length; J is the sum over all of them (finitely many, or exchangeable)",
    )
    show.literal += world.gradient_is("E[G(τ) Σ ∇ log π] = ∇J", weight)


@claim("L4.3-traj-prob", dynamics_left_out=True, dynamics_fixed=True)
def trajectory_probability(s: Statement, show: ev.Findings) -> None:
    """The products of the policy's probabilities alone add up to 3 on one step of the slippery grid."""
    case = vector("policy_gradient/audit-dynamics-left-out")
    even = answer("softmax", theta=case.given["theta"][0])[0]
    total = case.answer("trajectories") * even if s.dynamics_left_out else 1
    chance, dynamics = positives("pi P")
    slope, drift = reals("dpi dP")
    moved = (slope * dynamics + (0 if s.dynamics_fixed else chance * drift)) / (chance * dynamics)
    show.fill(follows=1 if s.dynamics_left_out else "P(s_{t+1}, a_t, s_t)")
    show.against += case.refutes(
        "one step of the 2×2 grid with slip 1/5, an even policy: 12 trajectories of product 1/4",
        ev.Exact("the products of all trajectories add up to 1", total, "=", 1),
    )
    show.repair.identity(
        "∇ log(P π) = ∇ log π",
        moved,
        slope / chance,
        "every probability π of the policy and P of the dynamics",
    )
    show.repair.identity(
        "with their factors the probabilities of all trajectories add up to 1",
        sum(path.chance for path in TwoSteps().paths()),
        1,
        "two decisions between two actions, any random successor",
    )
    show.unchanged.exact(
        "section 4.4 has no transition: π(L)", vector(WORKED).answer("policy_before")[0], "=", "1/2"
    )
    show.unchanged.exact("its gradient", answer("policy_gradient", **BANDIT)[0][0], "=", "5/2")


@claim("L4.3-grad-log-traj", sign=1, product=True)
def grad_log_trajectory(s: Statement, show: ev.Findings) -> None:
    """The product rule, step by step."""
    so_far, p = positives("Pi pi")
    slope, more = reals("dPi dpi")
    log = sympy.log(so_far * p if s.product else so_far + p)
    left = sympy.diff(log, so_far) * slope + sympy.diff(log, p) * more
    show.literal.induction(
        "∇ log of the product is the sum of the scores",
        base=(ev.Identity("one step", sympy.diff(sympy.log(p), p) * more, s.sign * more / p),),
        step=(ev.Identity("one step more", left, slope / so_far + s.sign * more / p),),
        over="trajectories of any length with positive probability",
        variable="t",
    )


def _per_step(world: TwoSteps, sign: int, weight: str = "G") -> list[ev.Identity]:
    """That the mean of the weighted scores is the gradient, without another discount in front."""

    def weighs(path: Path, t: int) -> Any:
        return sign * (world.to_go(path, t) if weight == "G" else path.steps[t].reward)

    return world.gradient_is("E[Σ G_t ∇ log π] = ∇J", weighs)


@claim("L4.3-per-timestep", sign=1, weight=Choice("G", "R"), logarithm=True, undiscounted=True)
def per_timestep(s: Statement, show: ev.Findings) -> None:
    """Only the first G_t counts from the start; a later one is worth γ^t as much in J."""
    case, t = vector(NO_GAMMA), index("t")
    past, reward, later, discount = reals("past R G g")
    show.fill(log=r"\log" if s.logarithm else "")
    show.against += case.refutes(
        "two tokens, reward 1 if the last one is 5, discount 1/2: component of token 5",
        ev.Exact(
            "E Σ G_t ∂ log π = ∂J", case.answer()[0][TOKEN_5], "=", case.answer(form="trajectory")[0][TOKEN_5]
        ),
        violates=ev.Exact("there is a discount", case.given["gamma"], "<", 1),
    )
    show.repair.append(no_score_on_average(s.logarithm))
    show.repair.identity(
        "G(τ) = rewards before t + γ^t G_t, from t to t + 1",
        past + discount**t * (reward + discount * later),
        (past + discount**t * reward) + discount ** (t + 1) * later,
        "all t, so that only γ^t G_t is left as the weight of step t",
    )
    show.repair += _per_step(TwoSteps(1 if s.undiscounted else None), s.sign, s.weight)


@claim("L4.3-single-episode", sign=1, averaged=False)
def single_episode(s: Statement, show: ev.Findings) -> None:
    """In 4.4 the two possible episodes give 5 and 0 where the gradient is 5/2."""
    case = vector(WORKED)
    true = answer("policy_gradient", **BANDIT)[0][0]
    left = case.number("return_") * case.answer("score")[0]
    right = 0 * case.answer("score", action=1)[0]
    in_the_mean = _per_step(TwoSteps(1), s.sign)
    show.fill(mean=r"\mathbb{E}" if s.averaged else "")
    if s.averaged:
        show.literal += in_the_mean
        return
    show.literal.exact("bandit of 4.4, episode L: the sum = the gradient", s.sign * left, "=", true)
    show.literal.exact("episode R", s.sign * right, "=", true)
    show.repair += in_the_mean
    show.unchanged.exact("step of section 4.4: preference of L", left / 10, "=", "1/2")
    show.unchanged.exact("half of both episodes", s.sign * (left + right) / 2, "=", true)


def sum_ends(show: ev.Findings, late: int) -> None:
    """Of a sum over t from 0 to T + late: an episode that ends at time T has the actions A_0 … A_{T−1}."""
    end, factor = index("T"), reals("x")
    last = end + late
    left = end - last  # in the lecture R_T is the last reward
    show.literal.identity("number of terms = number of actions", last + 1, end, "T ≥ 1, last reward R_T")
    show.repair.identity("rewards left after the last term", left, 0, "T ≥ 1")
    show.repair.identity("the last term, in which they are a factor", left * factor, 0, "every other factor")


@claim("L4.3-sum-to-T", last=0)
def sum_to_end(s: Statement, show: ev.Findings) -> None:
    """At time T there is no action any more, and no return."""
    sum_ends(show, s.last)
    show.unchanged.exact("section 4.4, T = 1: one term", 10 * vector(WORKED).answer("score")[0], "=", 5)


# the worked step


@claim("L4.4-softmax", sign=1, start="1/2")
def softmax(s: Statement, show: ev.Findings) -> None:
    def share(one: Any, other: Any) -> Any:
        return sympy.exp(s.sign * one) / (sympy.exp(s.sign * one) + sympy.exp(s.sign * other))

    left, right = answer("softmax", theta=["t", "u"])
    t, u = symbol("t"), symbol("u")
    show.fill(share=share(*reals("theta_L theta_R")))
    show.literal.identity("π(L)", share(t, u), left, "all preferences")
    show.literal.identity("π(R)", share(u, t), right, "all preferences")
    show.literal += entries("π at preferences 0", answer("softmax", theta=["0", "0"]), (s.start, s.start))


@claim("L4.4-score", sign=1, printed=("0.5", "-0.5"))
def score(s: Statement, show: ev.Findings) -> None:
    """From the logarithm of the softmax, and as the calculator has it."""
    t, u = reals("t u")
    total = sympy.exp(t) + sympy.exp(u)
    log = t - sympy.log(total)

    def scores(left: Any, right: Any) -> list[Any]:
        return [s.sign * (1 - left), -s.sign * right]

    ours = scores(sympy.exp(t) / total, sympy.exp(u) / total)
    policy, (left, right) = sequence("pi"), reals("L R")
    show.fill(scores=scores(policy(left), policy(right)))
    show.literal.identity("∂ log π(L)/∂θ_L", sympy.diff(log, t), ours[0], "all preferences")
    show.literal.identity("∂ log π(L)/∂θ_R", sympy.diff(log, u), ours[1], "all preferences")
    show.literal += entries("the score at preferences 0", vector("score/lecture-4.4").answer(), s.printed)


@claim("L4.4-matrix-damage", separator=Choice("\\ ", "\\\\ "), fixed=Choice("\\\\ ", "\\ "))
def matrix_damage(s: Statement, show: ev.Findings) -> None:
    """With one backslash, a space, the two entries stand in one row: 1/2 and −1/2 read as a difference."""

    def rows(mark: str) -> Any:
        """Rows of the matrix that LaTeX makes of it."""
        (chain,) = read(rf"\begin{{bmatrix}} a {mark}b \end{{bmatrix}}")
        return sympy.Integer(len(chain.sides[0].parts))

    found = vector("score/lecture-4.4").answer()
    show.literal.exact("rows of a matrix printed with this separator", rows(s.separator), "=", len(found))
    show.repair.exact("rows with the separator that is meant", rows(s.fixed), "=", len(found))
    show.unchanged += entries("the score", found, ("1/2", "-1/2"))


@claim("L4.4-set-damage", mark=Choice("", "\\"), fixed=Choice("\\", ""))
def set_damage(s: Statement, show: ev.Findings) -> None:
    """Bare braces group and do not show."""

    def seen(mark: str) -> str:
        """What LaTeX shows: a brace without a backslash is none of it."""
        text = f"{mark}{{ L, R {mark}}}"
        kept = text if mark else text.replace("{", "").replace("}", "")
        return plain_text(kept).replace(" ", "")

    actions = vector(WORKED).answer("policy")
    show.literal.fact("what is seen", seen(s.mark), "=", "{L,R}")
    show.repair.fact("what is seen then", seen(s.fixed), "=", "{L,R}")
    show.unchanged.exact("number of actions", sympy.Integer(len(actions)), "=", 2)


@claim("L4.4-new-policy", printed="0.73", second="-1/2")
def new_policy(s: Statement, show: ev.Findings) -> None:
    """0.73105857863…, which rounds to what is printed."""
    first, second = sympy.Rational(1, 2), sympy.Rational(s.second)
    quotient = sympy.exp(first) / (sympy.exp(first) + sympy.exp(second))
    printed, half = sympy.Rational(s.printed), sympy.Rational(1, 200)
    after = vector(WORKED).answer("policy")[0]
    show.fill(quotient=quotient)
    show.literal.identity("the quotient is π(L) after the update", quotient, after)
    show.literal.exact("not below the printed value by more than half a digit", after, ">=", printed - half)
    show.literal.exact("nor above it by as much", after, "<", printed + half)


@claim("L4.4-because-high-return", sign=1)
def because_high_return(s: Statement, show: ev.Findings) -> None:
    """A return of 1 makes L the favourite as well, were R to pay 20."""
    case, worked = vector("reinforce_step/audit-low-score-raised"), vector(WORKED)
    before, after = case.answer("policy_before"), case.answer("policy")
    step, gain = positives("alpha g")
    show.against += case.refutes(
        "L pays 1 and R would pay 20; L was taken",
        ev.Exact("L is not the favourite afterwards", after[0], "<=", after[1]),
        premises=(
            ev.Exact("the return is the lower of the two", case.given["return_"], "<", 20),
            ev.Exact("there was no favourite before", before[0], "=", before[1]),
        ),
    )
    show.repair.sign(
        "the odds of the action taken rise by α G times a positive number",
        odds_gain(step * s.sign * gain),
        "a softmax policy of any number of actions, every step size, every return G > 0",
    )
    show.repair.identity(
        "between two actions they rise by exactly α G, in which the other return does not occur",
        step * s.sign * gain * (1 - before[0] + before[1]),
        step * gain,
        "the start of section 4.4, every step size and return",
    )
    show.unchanged += entries("preferences after the update", worked.answer("theta"), ("1/2", "-1/2"))


@claim("L4.4-called-mdp", ends="1")
def called_mdp(s: Statement, show: ev.Findings) -> None:
    """Whatever R pays, which the section leaves open: one state to decide in, one decision, then the end."""
    from rlcalc.mdp.reading import read_mdp

    chances = ("0", s.ends)
    together = sum(map(sympy.Rational, chances))
    show.literal.exact("chances of what follows an action, together", together, "=", 1)
    for pay in ("0", "20", "-3"):
        world = read_mdp(
            {
                "P": [[chances, chances], []],
                "R": [["10", pay], []],
                "states": ["s", "end"],
                "actions": ["L", "R"],
                "terminal": ["end"],
            }
        )
        shape = (len(world.non_terminal), len(world.actions), world.longest())
        what = f"R pays {pay}: states to decide in, actions, longest episode"
        show.literal.fact(what, shape, "=", (1, 2, 1))


@claim("L4.5-ascent", sign=1)
def ascent(s: Statement, show: ev.Findings) -> None:
    """The objective's slope along the step is |∇J|²; for the bandit of 4.4 every step improves."""
    step, g, rest = positives("alpha g_1 rest")
    before = answer("policy_gradient", "objective", **BANDIT)
    gradient = answer("policy_gradient", **BANDIT)[0]
    moved = [to_text(s.sign * part / 10) for part in gradient]
    after = answer("policy_gradient", "objective", **BANDIT | {"theta": [moved]})
    show.literal.sign(
        "what a short step adds to J: α times the slope ∇J · ∇J",
        s.sign * step * (g * g + rest),
        "every differentiable J with ∇J ≠ 0: a component that is not 0, and the other squares",
    )
    show.literal.exact("bandit of 4.4, α = 1/10: J after the step", after, ">", before)


@claim("L4.5-unbiased", relation="=", fresh=True, weight=Choice("γ^t G_t", "G_t"))
def unbiased(s: Statement, show: ev.Findings) -> None:
    """Right for samples of the current policy with the full weights; two ways to lose it."""
    stale, bare = vector(STALE), vector(NO_GAMMA)
    what = f"mean of the estimate {s.relation} ∂J"
    show.against += stale.refutes(
        "the bandit of 4.4 at even chances, episodes drawn at chances 3/4 and 1/4",
        ev.Exact(what, stale.answer(p=stale.given["q"]), s.relation, stale.answer()),
        violates=ev.Exact(
            "the samples are not of the current policy", stale.given["q"][0], "!=", stale.given["p"][0]
        ),
    )
    show.against += bare.refutes(
        "the estimate of section 4.3 itself: two tokens at discount 1/2, component of token 5",
        ev.Exact(what, bare.answer()[0][TOKEN_5], s.relation, bare.answer(form="trajectory")[0][TOKEN_5]),
        violates=ev.Exact("the weight is G_t alone, and γ is", bare.given["gamma"], "<", 1),
    )
    show.repair += _unbiased_evidence(s)


def _unbiased_evidence(s: Statement) -> list[ev.Evidence]:
    world = TwoSteps()
    per_state = reals("b_0 b_1 b_2")

    def whole(path: Path, t: int) -> Any:
        return world.to_go(path, 0)

    def to_go(path: Path, t: int) -> Any:
        discount = world.gamma**t if s.weight == "γ^t G_t" else 1
        return discount * (world.to_go(path, t) - per_state[path.steps[t].state])

    now, x, y = reals("pi x y")
    drawn = now if s.fresh else reals("pi_old")
    return [
        *world.gradient_is("E[Σ G(τ) ∇ log π] = ∇J", whole),
        *world.gradient_is("E[Σ γ^t (G_t − b(S_t)) ∇ log π] = ∇J", to_go),
        ev.ordered(
            "one decision: the mean over the samples against the gradient",
            drawn * x * (1 - now) + (1 - drawn) * y * (0 - now),
            s.relation,
            now * (1 - now) * (x - y),
            "two actions with any returns x, y, samples of the current policy",
        ),
    ]
