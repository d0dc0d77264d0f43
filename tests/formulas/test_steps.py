"""What the working says: lines of it, the steps it consists of, their reasons, and the notes below."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import pytest

import rlcalc
from rlcalc.error_codes import is_code
from rlcalc.exact import equal, parse_number
from rlcalc.nested import flatten
from rlcalc.steps.printers import TextPrinter


class Working(NamedTuple):
    formula: str
    given: dict[str, Any]
    text: list[str] | None = None  # parts of the working as text
    shown: str | None = None  # the names of all steps, in order
    reasons: list[str] | None = None  # those of all steps
    notes: list[str] | None = None  # all of them, each by its beginning
    outputs: dict[str, str] | None = None  # some of them; lists flat, with ";" between


RETURN = {"rewards": [2, 3], "values": [5, 8, 10], "gamma": "0.9"}
ABA = {"states": list("ABA"), "gamma": 1, "lam": "1/2"}
LOOP = {"P": [[["1/2", "1/2"]], []], "terminal": [1]}
CLIP_OPEN = ["The derivative needs numbers"]
LOG = ["the logarithm of the ratio"]
REPLACING = {"lam": "1/2", "rewards": [1, 2, 3, 4], "replacing": True}
UNSEEN = "Not written out: the scores s_j(a_k) = [j = k] − π(a_j), and g_j(a_k) = (G(a_k) − b)·s_j(a_k)."


def actions(count: int, baseline: object) -> dict[str, Any]:
    return {"policy": [Fraction(1, count)] * count, "returns": list(range(count)), "baseline": baseline}


def many_actions(count: int) -> dict[str, Any]:
    table = {"P": [[[0, 1]] * count, []], "R": [list(range(count)), []], "terminal": [1]}
    return {"mdp": table, "theta": [0] * count, "gamma": 1}


def corridor(length: int) -> dict[str, Any]:
    """With γ = 1 and reward 1 a step: V*(s) counts the steps left, V_k at most k of them."""
    rows = [[[int(t == s + 1) for t in range(length + 1)]] for s in range(length)]
    return {"mdp": {"P": [*rows, []], "R": [[1]] * length + [[]], "terminal": [length]}, "gamma": 1}


def one_state(stay: str, gamma: str, reward: int) -> dict[str, Any]:
    """It ends with probability 1 − p and else stays: V_k = r·(1 + c + … + c^(k−1)) with c = γ·p."""
    table = {"P": [[[stay, str(1 - Fraction(stay))]], []], "R": [[reward], []], "terminal": [1]}
    return {"mdp": table, "gamma": gamma}


WORKINGS = [
    Working("actor_loss", {"probs": ["p", "q"], "advantages": [5, "a"]},
            outputs={"loss": "-5*log(p)-a*log(q)"}),
    Working("advantage", {"return_": 15, "value": 10},
            reasons=["better than expected: the action becomes more likely"]),
    Working("advantage", {"return_": 7, "value": 10},
            reasons=["worse than expected: the action becomes less likely"]),
    Working("advantage", {"return_": 10, "value": 10},
            reasons=["as expected: the probability of the action stays"]),
    Working("advantage", {"return_": "g", "value": "v"}, reasons=[""], notes=["The reading needs numbers"],
            outputs={"advantage": "g - v"}),
    Working("advantage", {"reward": 2, "value": 5, "next_value": 8, "gamma": "0.9"}, ["R + γ·V(S') − V(S)"]),
    Working("baseline_variance", {"policy": ["1/2", "1/2"], "returns": ["x", "y"], "baseline": "b"},
            outputs={"mean_gradient": "(x - y)/4; (y - x)/4", "variance": "((x + y)/2 - b)**2/2"}),
    Working("baseline_variance", {"policy": ["p", "1-p"], "returns": ["a", "b"], "baseline": "best"},
            outputs={"best": "-a*p + a + b*p", "variance": "0"}),
    Working("baseline_variance", actions(2, 0), notes=[],
            shown="s_1(a_1) s_2(a_1) s_1(a_2) s_2(a_2) g_1(a_1) g_2(a_1) g_1(a_2) g_2(a_2) m_1 m_2 Var(g)"),
    Working("baseline_variance", actions(3, 0), notes=[]),
    Working("baseline_variance", actions(4, 0), shown="m_1 m_2 m_3 m_4 Var(g)", notes=[UNSEEN]),
    Working("baseline_variance", actions(4, "value"), shown="V m_1 m_2 m_3 m_4 Var(g)", notes=[UNSEEN]),
    Working("baseline_variance", actions(4, "best"), notes=[UNSEEN],
            shown="V w(a_1) w(a_2) w(a_3) w(a_4) b* m_1 m_2 m_3 m_4 Var(g)"),
    Working("bellman", {"mdp": "grid2x2", "gamma": "9/10"},
            ["Q*(0,0; R) = R(0,0; R) + γ·V*(0,1) = 0 + 9/10·1 =",
             "V*(0,0) = max(Q*(0,0; U), Q*(0,0; D), Q*(0,0; L), Q*(0,0; R))"]),
    # with one state the bound is attained: V* = 4, V_5 = 4·(1 − 4^−5); one action needs no maximum
    Working("bellman", one_state("1/2", "1/2", 3), ["V*(s0) = Q*(s0; a0)"],
            notes=["", "off by 1/256 after sweep 5.", "= 1/256.", "below γ"]),
    Working("bellman", one_state("1", "1/2", 3), notes=["", "off by 3/16 after sweep 5.", "= 3/16."]),
    Working("bellman", one_state("1/2", "1", 1),
            notes=["", "off by 1/16 after sweep 5.", "= 1/16.", "below γ", "no other solution"]),
    Working("bellman", one_state("0", "1/2", 3),
            notes=["ended after 1 iteration;", "exactly in sweep 1.", "below γ"]),
    Working("bellman", corridor(2), notes=["", "reaches the solution exactly in sweep 2.",
            "In the max norm this is no contraction", "no other solution"]),
    Working("bellman", corridor(7),
            notes=["", "is off by 2 after sweep 5.", "In the max norm", "no other solution"]),
    Working("control_variate", {"x": [0, 1], "b": [0, 4]}, notes=["grown"]),
    Working("control_variate", {"x": [15, 7], "b": [10, 4]}, notes=[]),
    Working("control_variate", {"x": ["x1", "x2"], "b": ["b1", "b2"], "k": "best"},
            outputs={"best_k": "(x1 - x2)/(b1 - b2)"}),
    Working("control_variate", {"x": [15, 7], "b": [10, 4], "k": 1},
            ["μ_X = (x_1 + x_2) / 2 =", "Var(X) = ((x_1 − μ_X)² + (x_2 − μ_X)²) / 2 =",
             "Cov(X,b) = ((x_1 − μ_X)·(b_1 − μ_b) + (x_2 − μ_X)·(b_2 − μ_b)) / 2\n", "y_1 = x_1 − k·b_1 ="]),
    Working("control_variate", {"x": [15], "b": [10], "k": 1}, ["μ_X = x_1 =", "Var(X) = (x_1 − μ_X)² ="]),
    Working("critic_loss", {"values": 10, "returns": [15]}, ["V* = G_0 ="], shown="L V* L(V*)"),
    Working("critic_loss", {"values": 10, "returns": [15, 7], "alpha": "1/4"},
            shown="L V* L(V*) g_0 g_1 g V_new", notes=[]),
    Working("critic_loss", {"values": 10, "returns": [15, 7], "alpha": "1/3"}, notes=["past the minimiser"]),
    Working("critic_loss", {"values": 10, "returns": [15, 7], "alpha": "3/4"},
            notes=["further from the minimiser"]),
    # L'' = 1: a step of 3/2 goes past the minimum, one of 1 lands on it; of the mean, L'' = 2, 3/4 does
    Working("critic_loss", {"values": 10, "returns": [15, 7], "reduction": "half-mean", "alpha": 1},
            notes=[], outputs={"updated": "11"}),
    Working("critic_loss", {"values": [10], "returns": [15, 7], "reduction": "half-mean", "alpha": "3/2"},
            notes=["A step size above 1 overshoots", "The step goes past the minimiser."]),
    Working("critic_loss", {"values": 10, "returns": [15, 7], "reduction": "mean", "alpha": "3/4"},
            notes=["The step goes past the minimiser."]),
    Working("critic_loss", {"values": "v", "returns": [15, 7], "alpha": "a"},
            outputs={"loss": "2*(v - 11)**2 + 32", "updated": "v - 4*a*(v - 11)"}),
    Working("discounted_return", {"rewards": [1, 2, 3], "gamma": "1/2"},
            ["G_0 = R_1 + γ·R_2 + γ²·R_3 = 1 + 1/2·2 + (1/2)²·3 = 11/4"], notes=[]),
    Working("discounted_return", {"rewards": [1], "gamma": "1/2", "bootstrap": 4}, ["G_0 = R_1 + γ·V(S_1)"]),
    Working("discounted_return", {"rewards": [1, 2], "bootstrap": 4}, notes=[]),
    Working("discounted_return", {"rewards": [1, 2], "values": [0, 0, 4], "terminated": [0, 1]}, notes=[]),
    Working("discounted_return", {"rewards": [1, 2], "gamma": "1/2", "bootstrap": 100, "terminated": [0, 1]},
            notes=["The last step is terminated, so the bootstrap is not used."]),
    # said twice, but the same
    Working("discounted_return", {"rewards": [1, 2], "gamma": "1/2", "values": [9, 9, 4], "bootstrap": "8/2"},
            outputs={"returns": "3; 4"}),
    Working("entropy", {"p": ["p", "1-p"]}, outputs={"entropy": "-p*log(p) - (1 - p)*log(1 - p)"}),
    Working("entropy", {"p": [1, 0]}, reasons=["", "0·log 0 counts as 0", ""]),
    # logarithms cancel where the base allows: ½·log 2 + ½·log 6 = ½·log 12
    Working("entropy", {"p": ["1/2", "1/6", "1/6", "1/6"], "base": 12}, outputs={"entropy": "1/2"}),
    Working("entropy", {"p": ["1/6"] * 6, "base": 36}, outputs={"entropy": "1/2"}),
    Working("gae", {"rewards": [1, 2, 3], "gamma": 1, "lam": "1/2", "values": [1, 0, 0, 4]},
            ["δ_0 = R_1 + γ·V(S_1) − V(S_0) = 1 + 1·0 − 1 = 0",
             "A_0 = δ_0 + γ·λ·δ_1 + (γ·λ)²·δ_2 = 0 + 1·1/2·2 + (1·1/2)²·7 = 11/4",
             "G_0^λ = A_0 + V(S_0) = 11/4 + 1 = 15/4"]),
    Working("gae", {"rewards": [1, 2, 3], "gamma": ["1/2", "1/3", 1], "lam": "1/2"},
            ["A_0 = δ_0 + γ_0·λ·δ_1 + γ_0·γ_1·λ²·δ_2 ="]),
    Working("grpo_advantage", {"rewards": [1, 0]},
            ["m = (r_1 + r_2) / 2 =", "d_1 = r_1 − m =", "A_2 = d_2 / s ="]),
    Working("grpo_advantage", {"rewards": [1, 0], "eps": "1/2"}, ["A_2 = d_2 / (s + ε) ="]),
    Working("importance", {"p": ["1/2", "1/2"], "q": ["1/4", "3/4"], "f": [1, 0]}, notes=[]),
    Working("importance", {"p": ["1/2", "1/2"], "q": [1, 0], "f": [1, 0]},
            notes=["p has probability where q has none: the weights average less than 1."]),
    Working("kl", {"p": ["p", "1-p"], "q": ["q", "1-q"]},
            outputs={"divergence": "p*log(p/q) + (1 - p)*log((1 - p)/(1 - q))"}),
    Working("kl", {"p": ["1/2", "0", "1/2"], "q": ["1", "0", "0"]},
            notes=["The divergence is infinite: q gives no probability to outcome 2, which p can draw. "
                   "Swapped arguments may give a finite number."]),
    Working("lambda_return", {"rewards": [1, 2, 3], "lam": "1/2", "terminal": True},
            ["G_0^(3) = R_1 + γ·R_2 + γ²·R_3 =", "w_1 = 1 − λ =", "w_2 = (1 − λ)·λ =",
             "w_3 = λ² = (1/2)² = 1/4", "G_0^λ = c_1 + c_2 + c_3 = 1/2 + 3/4 + 3/2 = 11/4"]),
    Working("lambda_return", {"rewards": [1, 2], "lam": "1/2"},
            shown="G_0^(1) G_0^(2) w_1 w_2 c_1 c_2 G_0^λ"),
    Working("lambda_return", {"rewards": [1, 2, 3], "values": [1, 0, 0, 0], "lam": "1/2", "alpha": "1/10"},
            outputs={"updated": "47/40"}),
    Working("lambda_weights", {"lam": "1/3", "steps": "inf"}, ["sum = 1 − lim λ^M ="], notes=[],
            outputs={"sum": "1"}),
    Working("lambda_weights", {"lam": "0", "steps": "inf"}, outputs={"sum": "1"},
            notes=["0^0 is 1 here: at λ = 0 all weight lies on the 1-step return."]),
    Working("lambda_weights", {"lam": "1/2", "steps": 3},
            reasons=["", "", "all the weight that is left", ""]),
    Working("mc_update", {"value": 1, "returns": [6, 2], "alpha": "1/2"}, notes=[]),
    Working("mc_update", {"value": 0, "returns": [6, 2, 4]}, ["= 6 + 1/2·(2 − 6) ="],
            notes=["Step size 1/k: each value is the mean of the returns so far; "
                   "the starting value is forgotten."]),
    Working("n_step_return", {**RETURN, "n": 2},
            ["G_0^(2) = R_1 + γ·R_2 + γ²·V(S_2) = 2 + 9/10·3 + (9/10)²·10 = 64/5"], shown="G_0^(2)",
            notes=[]),
    Working("n_step_return", {"rewards": [2], "n": 1, "gamma": 1}, reasons=[""]),
    Working("n_step_return", {**RETURN, "n": 3}, ["the episode ends after 2 steps: this is its full return"]),
    Working("n_step_return", {**RETURN, "n": "inf"}, shown="G_0^(∞)"),
    Working("n_step_return", {**RETURN, "n": 1, "alpha": "3/2"}, notes=["above 1"]),
    Working("policy_eval", {"mdp": "bandit", "gamma": 1, "policy": ["3/4", "1/4"]},
            ["V(s) = π(L | s)·Q(s; L) + π(R | s)·Q(s; R) = 3/4·10 + 1/4·0 = 15/2"],
            shown="Q(s;·L) Q(s;·R) V(s)"),
    Working("policy_eval", {"mdp": "bandit", "gamma": "9/10", "policy": ["1", "0"]}, ["Q(s; L) = R(s; L) ="]),
    Working("policy_gradient", {"mdp": "bandit", "theta": [0, 0], "gamma": 1},
            ["π(L) = exp(θ_0) / (exp(θ_0) + exp(θ_1)) =", "p_1 = π(L) ="],
            shown="π(L) π(R) p_1 G_1,0 p_2 G_2,0 J ∂J/∂θ_0 ∂J/∂θ_1",
            reasons=["", "", "trajectory 1: L", "", "trajectory 2: R", "", "", "", ""]),
    Working("policy_gradient", many_actions(12), notes=[""], outputs={"trajectories": "12"}),
    Working("policy_gradient", many_actions(13), notes=["The steps show 12 of 13 trajectories.", ""],
            shown=" ".join([*(f"π(a{a})" for a in range(13)), *(f"p_{k} G_{k},0" for k in range(1, 13)),
                            "J", *(f"∂J/∂θ_{a}" for a in range(13))])),
    Working("ppo_clip", {"ratio": "3/2", "adv": 5}, ["∂L/∂r = 0   (L is the clipped side here"]),
    Working("ppo_clip", {"ratio": "6/5", "adv": 5},
            ["a kink", "autograd returns A", "∂L/∂r_left", "∂L/∂r_right = 0"]),
    Working("ppo_clip", {"ratio": "3/2", "adv": 5}, ["clipped is smaller"]),
    Working("ppo_clip", {"ratio": "3/5", "adv": -3}, ["(clipped is smaller"]),
    Working("ppo_clip", {"ratio": "3/5", "adv": 5}, ["unclipped is smaller"]),
    Working("ppo_clip", {"ratio": "3/2", "adv": -3}, ["unclipped is smaller"]),
    Working("ppo_clip", {"ratio": 1, "adv": 5}, ["both sides are equal: the ratio is inside the interval"]),
    Working("ppo_clip", {"ratio": 1, "adv": 1}, ["both sides are equal: the ratio is inside the interval"]),
    # without an advantage there is no kink
    *(Working("ppo_clip", {"ratio": ratio, "adv": 0}, ["the advantage is 0", "(L is r·A here)"],
              outputs={"d_ratio": "0", "d_ratio_left": "0", "d_ratio_right": "0"}) for ratio in ("3/2",
              "6/5")),
    Working("ppo_clip", {"ratio": "r", "adv": 5}, notes=["r is taken", *CLIP_OPEN]),
    Working("ppo_clip", {"ratio": "6/5", "adv": "a"}, notes=CLIP_OPEN),
    Working("ppo_clip", {"ratio": 2, "adv": 5, "eps": "x"}, notes=["x is taken", *CLIP_OPEN]),
    # what no symbol can change is decided: ε > 0 puts 1 inside the interval
    Working("ppo_clip", {"ratio": 1, "adv": "a"}, outputs={"d_ratio": "a"}),
    Working("ppo_clip", {"ratio": 1, "adv": 5, "eps": "x"}, outputs={"d_ratio": "5"}),
    Working("ppo_clip", {"ratio": "r", "adv": 0}, outputs={"d_ratio": "0"}),
    Working("ppo_clip", {"ratio": "1+h", "eps": "h", "adv": 2}, outputs={"objective": "2*h + 2"}),
    # 7 · 2 · 3 = 42 trajectories, 7 at a time, in batches of 7/2
    *(Working("ppo_count", {"trajectories": 7, "epochs": 2, "iterations": 3, "minibatches": count},
    notes=notes)
      for count, notes in {
          1: [],
          2: ["REINFORCE is counted with whole collections of 7; with batches of 7/2, "
              "as PPO's minibatches, it would need 42 trajectories."],
          7: [""],
          8: ["",
          "There are more minibatches than trajectories: a minibatch then holds parts of trajectories."],
      }.items()),
    *(Working("ratio", given, reasons=[reason, *LOG] if "new" in given else [*LOG, reason])
      for new, reason in {
          "1/4": "the action has become less likely", "1/2": "the policies agree on this action",
          "3/4": "the action has become more likely", "p": "",
      }.items()
      for given in ({"new": new, "old": "1/2"},
                    {"new_log": f"log({new})" if new != "p" else "a", "old_log": "log(1/2)"})),
    Working("reinforce_step", {"theta": [0, 0], "action": 0, "return_": 10},
            ["θ_0^new = θ_0 + α·G·∂ log π(0)/∂θ_0 = 0 + 1/10·10·1/2"], notes=[]),
    Working("reinforce_step", {"theta": [0, 0], "action": 0, "return_": 1, "alpha": "3/2"},
            notes=["above 1"]),
    Working("reinforce_step", {"theta": [1, 0], "action": 1, "return_": "sqrt(2)", "baseline": "sqrt(2)"},
            outputs={"theta": "1; 0"}),
    Working("softmax", {"theta": ["1/2", "-1/2"]},
            ["π(0) = exp(θ_0) / (exp(θ_0) + exp(θ_1))", "exp(1/2) / (exp(1/2) + exp(−1/2))",
             "1/(1 + exp(−1))", "1/(1 + exp(1))"]),
    Working("td_error", {"reward": 2, "value": 5, "next_value": 8, "gamma": "0.9"},
            ["target = R + γ·V(S') = 2 + 9/10·8 = 46/5", "δ = R + γ·V(S') − V(S) = 2 + 9/10·8 − 5 = 21/5"],
            shown="target δ"),
    Working("td_error", {"rewards": [1, 2], "values": [3, 4, 5], "gamma": 1}, shown="δ_0 δ_1"),
    Working("td_update", {"value": 5, "target": "9.2"}, ["= 46/5 − 5 =", "= 5 + 1/10·21/5 ="]),
    Working("td_update", {"value": 0, "target": 1, "alpha": "3/2"}, notes=["overshoots"]),
    Working("td_update", {"value": 0, "target": 1, "alpha": 1}, notes=[]),
    Working("token_mdp", {"prompt": "q", "tokens": ["a"]}, shown="G_0", reasons=[""],
            notes=["One action A_0 and two states S_0 and S_1, the last terminal."]),
    Working("token_mdp", {"prompt": "q", "tokens": ["a", "b"]},
            notes=["2 actions A_0 … A_1 and 3 states S_0 … S_2, the last terminal."]),
    Working("token_mdp", {"prompt": "q", "tokens": ["a", "b", "c"], "gamma": "1/2"},
            ["G_0 = γ²·R_3 =", "G_1 = γ·R_3 =", "G_2 = R_3 ="],
            reasons=["every reward before the last is 0", "", ""]),
    Working("traces", ABA, ["z_2(A) = γ·λ·z_1(A) + 1 ="]),
    Working("traces", {"states": ["é"], "lam": "1/2"}, ["z_0(é) = γ·λ·z_−1(é) + 1"]),
    Working("traces", {**ABA, "rewards": [1, 2, 3], "alpha": "1/10"},
            ["credit(B) = δ_1·z_1(B) + δ_2·z_2(B) =",
             "G_0^λ = (1 − λ)·G_0^(1) + (1 − λ)·λ·G_0^(2) + λ²·G_0^(3)\n",
             "G_1^λ = (1 − λ)·G_1^(1) + λ·G_1^(2) =", "forward(A) = G_0^λ − V(A) + (G_2^λ − V(A)) ="],
            shown="z_0(A) z_1(A) z_1(B) z_2(A) z_2(B) δ_0 δ_1 δ_2 credit(A) credit(B) G_0^λ G_1^λ G_2^λ "
                  "forward(A) forward(B) ΔV(A) ΔV(B) V_new(A) V_new(B)"),
    *(Working("traces", {"states": list(states), **REPLACING}, notes=[note], outputs={"views": views})
      for states, views, note in [
          ("ABAB", "different", "Replacing traces: the forward and the backward view differ for A, B."),
          ("ABCA", "different", "Replacing traces: the forward and the backward view differ for A."),
          ("ABCD", "equal",
           "The backward view (traces) and the forward view (λ-returns) give the same update"),
      ]),
    Working("traces", {"states": list("ABAC"), "gamma": "g", "lam": "l", "rewards": list("xyz"),
                       "values": ["a", "b", "c"]}, outputs={"views": "equal"}),
    Working("backup", {"probs": [["1/2", "1/2"]], "rewards": [1, 2], "next_values": [4, 0], "gamma": 1},
            shown="q"),
    Working("batch", {"episodes": "A 1 B; B 2 C"}, notes=["C is never left: its value is taken to be 0"]),
    Working("c51_projection", {"atoms": [0, 1, 2], "next_probs": [["1/2", 0, "1/2"]], "rewards": ["1/2"],
                               "gamma": "1/2"},
            ["Δ = z_2 − z_1 = 1 − 0 = 1", "m_0,1 = p_1,1·clip(1 − abs(y_0,1 − z_1) / Δ, 0, 1) = 1/2·",
             "m_0,3 = p_1,3·clip(1 − abs(y_0,3 − z_3) / Δ, 0, 1) = 1/2·"]),
    Working("control_variate", {"x": [1, 2], "b": [2, 2]},
            notes=["b is constant: subtracting it changes no variance.", "A constant has no correlation"]),
    Working("decoupled_ppo", {"logp": ["log(1/2)"], "prox_logp": ["p"], "behav_logp": ["log(1/16)"],
                              "adv": [1], "cap": 5, "action": "mask"},
            notes=["p is taken", "The mask needs numbers"]),
    Working("decoupled_ppo", {"logp": ["a"], "prox_logp": [-1], "behav_logp": [-1], "adv": [1]},
            notes=["a is taken", *CLIP_OPEN]),
    Working("dpo_loss", {"chosen": ["x"], "rejected": [-2], "ref_chosen": [-1], "ref_rejected": [-1],
                         "beta": "1/2", "kind": "hinge"}, notes=["x is taken", *CLIP_OPEN]),
    # a margin of 1, where the hinge has its kink
    Working("dpo_loss", {"chosen": [-1], "rejected": [-3], "ref_chosen": [-1], "ref_rejected": [-1],
                         "beta": "1/2", "kind": "hinge"}, outputs={"losses": "0", "d_chosen": "0"}),
    Working("gspo", {"logp": [["x"]], "old_logp": [[-1]], "adv": [1]}, notes=["x is taken", *CLIP_OPEN]),
    Working("gspo", {"logp": [[-1]], "old_logp": [[-1]], "mask": [[0]], "adv": [1]},
            notes=["No token is valid: the loss is 0."]),
    Working("kl_estimate", {"logp": ["x"], "ref_logp": [-1], "kind": "abs"}, notes=CLIP_OPEN),
    Working("mc_update", {"value": 1, "returns": [2, 3], "alpha": "1/(2*k)"},
            notes=["1/(2·k) is taken to be in (0, 2)", "k is a symbol here, the same at every step"]),
    Working("policy_clip", {"logp": ["x"], "old_logp": [-1], "adv": [1]}, ["= min(6/5, exp(x + 1))"],
            notes=["x is taken", *CLIP_OPEN]),
    Working("policy_clip", {"logp": [-1], "old_logp": [-1], "adv": ["A"], "dual": 3},
            notes=["The dual clip needs advantages that are numbers."]),
    Working("policy_eval", {"mdp": {"P": [[[1]]], "R": [[0]], "terminal": []}, "policy": [[1]], "gamma": 1,
                            "sweeps": 2}, notes=["Without discount the policy never ends from some state"]),
    # of numbers alone SymPy leaves the largest open within another extreme
    Working("ppo_clip", {"ratio": "r", "adv": 1}, ["L = min(unclipped, clipped) =", "= min(6/5, r)"]),
    Working("trust_region", {"old": ["1/2", "1/2"], "new": ["x", "1-x"], "radius": "1/10"},
            notes=["x is taken", "1 − x is taken", "Whether it is inside the radius is open."]),
    Working("value_clip_loss", {"values": ["v"], "old_values": [1], "returns": [2]}, notes=CLIP_OPEN),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "working"), [(w.formula, w) for w in WORKINGS])
def test_the_working(formula: str, working: Working) -> None:
    d = rlcalc.derive(formula, **working.given)
    assert [part for part in working.text or () if part not in d.text()] == []
    if working.shown is not None:
        names = [TextPrinter(numbers=False).name(step.name).replace(" ", "·") for step in d.steps]
        assert names == working.shown.split()
    if working.reasons is not None:
        assert [step.note for step in d.steps] == working.reasons
    if working.notes is not None:
        assert len(d.notes) == len(working.notes), d.notes
        assert all(part in note for part, note in zip(working.notes, d.notes, strict=True)), d.notes
    for name, texts in (working.outputs or {}).items():
        found = list(flatten(d.outputs[name]))
        for value, text in zip(found, texts.split(";"), strict=True):
            assert value == text if isinstance(value, str) else equal(value, parse_number(text))


TRACES = {"lam": "1/2"}
REFUSALS = [
    ("discounted_return", {"rewards": [1, 2], "bootstrap": 5, "values": [0, 0, 4]},
     "bootstrap and the last of values are 5 and 4"),
    ("traces", {"states": ["A"], "values": [1], **TRACES}, "values is given, but rewards is missing"),
    ("traces", {"states": ["A"], "alpha": "1/2", **TRACES}, "alpha is given, but rewards is missing"),
    ("traces", {"states": ["A"],
     "rewards": [1, 2], **TRACES}, "There is 1 state for 2 rewards; expected 2 or 3."),
    ("traces", {"states": list("ABA"), "rewards": [1, 2, 3], "values": [1, 2, 1], **TRACES},
     "values has 3 entries, expected 2, one for each of 'A B'."),
    ("traces", {"states": list("abcdefghijkl"), "rewards": [0] * 12, "values": [1], **TRACES},
     "values has 1 entry, expected 12, one for each of 'a b c d e f g h i j k l'."),
    ("traces", {"states": list("abcdefghijklm"), "rewards": [0] * 13, "values": [1], **TRACES},
     "values has 1 entry, expected 13, one for each of '13 states'."),
    ("policy_eval", {"mdp": "bandit", "policy": [["exp(-1)", "1-exp(-1)"]], "gamma": 1}, "rational"),
    ("policy_eval", {"mdp": "bandit", "policy": "greedy", "gamma": 1}, "'greedy'"),
    ("bellman", {"mdp": "grid2x2", "gamma": "exp(-1)"}, "rational"),
    ("ppo_loss", {"clip": 6, "critic": 34, "entropy": 0, "c2": "1/100"}, "lecture names no value"),
    ("ppo_loss", {"clip": 6, "critic": 34, "entropy": 0, "c1": "1/2"}, "lecture names no value"),
    *(("policy_eval", {"mdp": {"P": [*([[int(s == t) for t in range(count + 1)]] for s in range(count)), []],
                               "R": [[0]] * count + [[]], "terminal": [count]},
                       "gamma": 1, "policy": [[1]] * count}, f"never ends from {named}")
      for count, named in ((6, "s0, s1, s2, s3, s4, s5."), (7, "s0, s1, s2, s3, s4, s5 …."))),
    ("bandit", {"actions": ["a"], "rewards": [1], "arms": [10**9]}, "arms is at most 100, not '1000000000'."),
    ("backup", {"probs": [["1/2", "1/2"], [1, 0]], "rewards": [1, 2], "next_values": [0, 0], "gamma": 1},
     "Add max for the best one, or give one row."),
    ("batch", {"episodes": "A exp(1) B", "method": "td"}, "Batch TD takes rational rewards. Use method mc."),
    ("policy_eval", {"mdp": "grid2x2", "gamma": "1/2", "policy": "uniform", "in_place": True},
     "in_place is for sweeps, and sweeps is not given. Add sweeps 3."),
    ("policy_gradient", {"mdp": {**LOOP, "R": [[1], []]}, "theta": [0], "gamma": 1},
     "Give horizon, the number of actions"),
    ("policy_iteration", {"mdp": "grid2x2", "gamma": "1/2", "policy": [["exp(-1)", "1-exp(-1)", 0, 0]] * 3},
     "policy must be rational numbers"),
    ("pass_at_k", {"n": 100_000, "c": 5, "k": 50_000}, "its numbers grow too long"),
]  # fmt: skip


@pytest.mark.parametrize(("formula", "given", "words"), REFUSALS)
def test_the_refusal_names_what_is_wrong(formula: str, given: dict[str, Any], words: str) -> None:
    with pytest.raises(rlcalc.InputError) as caught:
        rlcalc.derive(formula, **given)
    assert words in f"{caught.value.message} {caught.value.hint}"
    assert is_code(caught.value.code)
