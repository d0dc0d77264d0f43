"""Parameters of a function as it stands: what they are found to mean, and what that must not hide."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
import pytest

from rlcalc.cli import main
from rlcalc.conform import conform
from rlcalc.conform.binding import bound
from rlcalc.conform.binding.bind import bind
from rlcalc.conform.binding.model import Binding, binding_of, read_binding
from rlcalc.conform.binding.words.likely import guessed_formula, guessed_formulas
from rlcalc.conform.binding.words.names import roles_of
from rlcalc.conform.conform_report import ConformReport
from rlcalc.conform.runner import run
from rlcalc.conform.target.base import from_function
from rlcalc.conform.target.facts import facts_of, read_facts
from rlcalc.conform.target.objects import steps_of
from rlcalc.conform.target.sheet import perform_sheet
from rlcalc.conform.vectors import golden_vectors
from rlcalc.errors import DataError, InputError
from rlcalc.specs import load_formula
from rlcalc.testing import conformance_suite
from tests.command import run as rlcalc
from tests.conform import field
from tests.conform.field import losses, methods, numpy_sequences, torch_sequences
from tests.refused import refused
from tests.sweep import sweep

from .as_it_stands import matched

HERE = Path(field.__file__).parent
QUICK = {"compute_gae", "RolloutStorage.compute_returns", "ppo_loss_unclipped"}


def found(function: Any, formula: str = "gae", **mapped: str) -> Binding:
    binding = bind(from_function(function), load_formula(formula), mapped).binding
    assert binding is not None
    return binding


def report(function: Any, formula: str = "gae", **options: Any) -> ConformReport:
    return conform(function, formula, **options)


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize("case", [c for c in field.cases() if c.name in QUICK], ids=lambda c: c.name)
def test_a_function_as_it_stands(case: field.Case) -> None:
    judged = field.judged(case, 0)
    assert judged.rightly, judged


def test_attributes_are_mapped_by_place() -> None:
    class Agent:
        def compute_gae(self, rewards, values, dones, last_value):
            return numpy_sequences.gae_masks(rewards, values, 1 - dones, last_value, self.wobble, self.lam)

    globals()["Agent"] = Agent
    Agent.__qualname__, Agent.compute_gae.__qualname__ = "Agent", "Agent.compute_gae"
    with pytest.raises(InputError):
        found(Agent.compute_gae)
    said = report(Agent.compute_gae, mapped={"self.wobble": "gamma"})
    assert said.verdict == "conforms"


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.slow
def test_nine_of_ten_functions_and_two_thirds_of_methods_are_judged_rightly() -> None:
    judged = [field.judged(case, 0) for case in field.cases()]
    assert not [one for one in judged if one.missed]
    assert not [one for one in judged if one.accused]
    for method, least in ((False, 0.9), (True, 2 / 3)):
        some = [one for one in judged if one.case.method is method]
        assert sum(one.rightly for one in some) >= least * len(some)


def test_names_have_roles_and_endings_and_plurals_do_not_matter() -> None:
    assert roles_of("mb_rewards", "sequence")[0] == "rewards"
    assert roles_of("reward_arr", "sequence")[0] == "rewards"
    assert roles_of("v_tm1", "sequence")[0] == "values"
    assert roles_of("_gamma", "sequence")[0] == "gamma"
    assert roles_of("λ", "sequence")[0] == "lam"
    assert roles_of("next_value", "sequence")[:2] == ("last_value", "next_values")
    assert roles_of("b_pi_log_prob_t", "ppo_clip") == ("old_log",)
    assert roles_of("cat", "sequence") == ()


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("a.py:PPO.compute_gae", "gae"),
        ("calc_nstep_returns", "n_step_return"),
        ("computeGAE", "gae"),
        ("ppo_critic_loss", "critic_loss"),
        ("discount_cumsum", "discounted_return"),
        ("losses.py:PPOLoss.forward", "ppo_clip"),
        ("forward", ""),
    ],
)
def test_a_formula_is_guessed_by_the_name_of_the_function(name: str, formula: str) -> None:
    assert guessed_formula(name) == formula


def test_returns_with_a_decay_and_values_are_advantages() -> None:
    facts = facts_of(methods.RolloutStorage.compute_returns)
    assert guessed_formula("RolloutStorage.compute_returns", facts) == "gae"


def test_what_a_method_reads_and_writes_is_seen_in_its_source() -> None:
    facts = facts_of(methods.WithCritic.compute_returns)
    assert facts.method
    assert {"self.gamma", "self.storage.rewards", "self.critic()"} <= facts.paths.keys()
    assert {"self.storage.advantages", "self.storage.returns"} <= set(facts.written)
    assert read_facts(facts.table()) == facts


def test_a_helper_of_the_class_is_followed() -> None:
    assert "self.gamma" in facts_of(methods.Helper.compute).paths


def test_a_scripted_function_has_a_signature() -> None:
    facts = facts_of(torch_sequences.gae_scripted)
    assert [a.name for a in facts.arguments or ()][:2] == ["rewards", "dones"]


def test_annotations_that_are_no_text_are_read_whole() -> None:
    def function(rewards, values, mode) -> None: ...

    function.__annotations__ |= {"rewards": list[list[float]], "values": np.ndarray, "mode": Literal["sum"]}
    facts = facts_of(function)
    said = [a.annotation for a in facts.arguments or ()]
    assert said == ["list[list[float]]", "ndarray", "typing.Literal['sum']"]
    assert facts.words == ("sum",)


def test_layout_values_and_outputs_are_found() -> None:
    binding = found(numpy_sequences.compute_gae)
    assert (binding.layout, binding.values, binding.agreed) == ("[T, B]", "T", "formula")
    assert binding.outputs == {"advantages": "[0]", "returns": "[1]"}
    assert found(torch_sequences.compute_gae).outputs == {"returns": "[0]"}  # the other one is whitened
    assert found(numpy_sequences.gae_batch_first).layout == "[B, T]"
    assert found(numpy_sequences.gae_columns).layout == "[T, B, 1]"
    assert found(numpy_sequences.gae_returns_first).outputs == {
        "advantages": "advantages",
        "returns": "returns",
    }


def test_flags_of_the_observation_are_said_with_what_the_other_reading_would_mean() -> None:
    binding = found(numpy_sequences.gae_cleanrl_style)
    assert binding.ends == "observation"
    (note,) = [note for note in binding.notes if "observation t" in note]
    assert "the flag of reward t has every episode end one step late" in note
    binding = found(numpy_sequences.compute_gae)
    assert binding.ends == "step"
    assert any("the flag of observation t has every episode end one step early" in n for n in binding.notes)


@pytest.mark.usefixtures("verdict_alone")
def test_a_flag_is_never_read_as_one_of_the_observation_because_that_makes_a_fault_right() -> None:
    assert found(numpy_sequences.gae_flag_of_next_step).ends == "step"
    assert not report(numpy_sequences.gae_flag_of_next_step).passed


def ignores_dones(rewards, values, dones, last_value, gamma: float, lam: float):
    return numpy_sequences.gae_masks(rewards, values, np.ones_like(rewards), last_value, gamma, lam)


def ignores_masks(rewards, values, masks, gamma: float, lam: float):
    live = np.ones_like(rewards)
    return numpy_sequences.gae_masks(rewards, values, live, np.zeros_like(values[0]), gamma, lam)


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize("function", [ignores_dones, ignores_masks])
@pytest.mark.slow
def test_flags_without_effect_are_no_other_role(function: Any) -> None:
    assert found(function).agreed in ("fault", "part")
    assert report(function).verdict == "nonconforming"


@pytest.mark.usefixtures("verdict_alone")
def test_a_value_that_is_taken_and_not_used_is_said_and_not_excused() -> None:
    said = report(methods.ForgetsBootstrap.compute_gae)
    assert said.verdict == "nonconforming"
    assert any("taken and never used" in note for note in said.binding.notes)


def test_another_output_of_the_formula_is_not_its_answer() -> None:
    assert found(losses.ppo_loss_unclipped, "ppo_clip").outputs.keys() == {"objective"}


def letters(r, v, qq, g: float, l: float):  # noqa: E741
    return numpy_sequences.gae_masks(r, v, 1.0 - qq, np.zeros_like(v[0]), g, l)


def test_where_a_name_says_nothing_the_role_is_found_by_trying() -> None:
    binding = found(letters)
    assert (binding.inputs["qq"], binding.like) == ("done", ("no-bootstrap",))
    assert "names say nothing of qq = done" in binding.notes[0]
    assert found(letters, qq="done").inputs == binding.inputs


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.slow
def test_a_guess_that_no_answer_speaks_for_is_no_verdict() -> None:
    def function(r, v, qq, g: float, l: float):  # noqa: E741
        return letters(r, v, qq, g, l) + 1.0

    with refused(InputError, "target_signature") as caught:
        found(function)
    assert "qq as" in caught.value.message
    assert "--map qq=" in caught.value.hint
    # said by the user it is a verdict
    assert report(function, mapped={"qq": "done"}).verdict == "nonconforming"


def test_a_number_with_a_default_is_tried_before_one_in_the_body() -> None:
    def function(rewards, values, dones, wobble: float = 0.9, gamma: float = 0.99):
        zero = np.zeros_like(values[0])
        return numpy_sequences.gae_masks(rewards, values, 1.0 - dones, zero, gamma, wobble)

    binding = found(function)
    assert binding.inputs["wobble"] == "lam"
    assert not binding.fixed


def divergence(log_probs, ref_log_probs, kind: str, scale: float):
    assert (kind, scale) == ("k1", 1)
    return log_probs - ref_log_probs


def test_options_are_mapped_to_constants() -> None:
    binding = found(divergence, "kl", kind="text:k1", scale="number:1")
    assert (binding.agreed, binding.constants) == ("formula", {"kind": "k1", "scale": 1})
    assert report(divergence, "kl", mapped={"kind": "text:k1", "scale": "number:1"}).passed


def test_a_role_and_a_place_that_there_are_not_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        found(letters, qq="donne")
    assert (caught.value.code, "done" in caught.value.hint) == ("unknown_role", True)
    with refused(InputError, "unknown_place"):
        found(letters, zs="done")


@pytest.mark.slow
def test_open_keywords_do_not_excuse_parameters_without_a_meaning() -> None:
    def function(rewards, values, wobble, **_):
        return rewards

    with pytest.raises(InputError) as caught:
        found(function)
    assert "wobble" in caught.value.message


def test_a_binding_is_written_and_read_again(tmp_path: Path) -> None:
    binding = found(methods.WithCritic.compute_returns)
    path = tmp_path / "binding.toml"
    path.write_text(binding.text(), encoding="utf-8")
    again = read_binding(path)
    assert again.inputs == binding.inputs
    assert again.outputs == binding.outputs
    assert again.agreed == "given"
    said = report(methods.WithCritic.compute_returns, binding=again)
    assert said.verdict == "conforms"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('schema = "rlcalc-binding-1"\nformula = "gae"\nlayuot = "[T]"', "layuot"),
        ('schema = "rlcalc-binding-1"\nformula = "gae"\nends = "never"', "never"),
        ("formula = ", "binding.toml"),
    ],
)
def test_a_wrong_binding_file_is_refused_by_place(tmp_path: Path, text: str, word: str) -> None:
    path = tmp_path / "binding.toml"
    path.write_text(text, encoding="utf-8")
    with refused(DataError, "bad_binding") as caught:
        read_binding(path)
    assert word in caught.value.message


def test_a_table_of_a_project_is_a_binding() -> None:
    table = found(numpy_sequences.compute_gae).table()
    assert binding_of(table, "pyproject.toml").outputs == {"advantages": "[0]", "returns": "[1]"}


def test_places_are_objects_lists_and_constants() -> None:
    def function(cfg, memory):
        return np.array([cfg.inner["rate"] * entry[1].reward for entry in memory])

    sheet = {"backend": "numpy", "read": [], "inputs": [], "values": {}}
    sheet["values"] = {"cfg.inner['rate']": 2.0, "memory[][1].reward": [1.0, 3.0]}
    reply = perform_sheet(function, sheet)
    assert reply.parts[""].array.tolist() == [2.0, 6.0]
    assert steps_of("a.b['c'][][2]()")[1] == [
        ("attr", "b"),
        ("key", "c"),
        ("each", ""),
        ("entry", "2"),
        ("call", ""),
    ]


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.slow
def test_a_written_test_calls_the_function_by_its_binding(tmp_path: Path) -> None:
    test = tmp_path / "test_it.py"
    target = f"{HERE / 'methods.py'}:FaultyBuffer.compute"
    assert main(["conform", target, "--formula", "gae", "--random", "0", "--write-test", str(test)]) == 1
    assert not re.search("^(agreed|like|notes|excludes) =", test.read_text(), re.MULTILINE)
    space: dict[str, Any] = {}
    exec(compile(test.read_text(), str(test), "exec"), space)
    with pytest.raises(AssertionError, match="Mismatched"):
        space["test_gae_counterexample"]()
    right = (
        test.read_text()
        .replace("FaultyBuffer", "Buffer")
        .replace(".compute,", ".compute_returns_and_advantage,")
    )
    assert right != test.read_text()


def test_pytest_and_the_command_line_read_alike(tmp_path: Path) -> None:
    suite: Any = conformance_suite(letters, "gae", random=0, map={"qq": "done"}, convention="no-bootstrap")
    assert suite.suite.report.verdict == "conforms-under-convention"
    path = tmp_path / "b.toml"
    path.write_text(suite.suite.report.binding.text())
    again: Any = conformance_suite(letters, "gae", random=0, binding=path, convention="no-bootstrap")
    assert again.suite.report.passed
    path.write_text(path.read_text().replace('= "rewards"', '= "rewardz"'))
    unread: Any = conformance_suite(letters, "gae", random=0, binding=path)
    with pytest.raises(InputError, match="no role 'rewardz'"):
        assert unread.suite.report


@pytest.mark.slow
def test_the_command_line_shows_writes_and_reads_a_binding(tmp_path: Path) -> None:
    target, path = f"{HERE / 'methods.py'}:Recurrent.calc_advantages", tmp_path / "b.toml"
    words = ["conform", target, "--random", "0", "--dtype", "float64"]
    code, out, err = rlcalc(*words, "--formula", "gae", "--write-binding", str(path))
    assert code == 0, err
    assert "self.rewards = rewards" in " ".join(out.split())
    assert read_binding(path).layout == "[B, T]"
    code, out, _ = rlcalc(*words, "--binding", str(path), "--json")
    assert code == 0
    assert '"layout": "[B, T]"' in out


def test_the_command_line_guesses_the_formula_and_takes_roles() -> None:
    target = f"{HERE / 'numpy_sequences.py'}:discount_rewards"
    code, _, err = rlcalc("conform", target, "--random", "0", "--map", "r=rewards")
    assert code == 0
    assert "Read as discounted_return, by its name" in err
    code, _, err = rlcalc("conform", target, "--map", "r")
    assert (code, "NAME=ROLE" in err) == (2, True)
    code, _, err = rlcalc("conform", "--exec", "true", "--formula", "gae", "--map", "r=rewards")
    assert (code, "not --exec" in err) == (2, True)


@pytest.mark.parametrize(
    ("name", "last_line", "verdict"),
    sweep(
        [
            ("gae", "return out + values[:-1]", "nonconforming"),
            ("gae", "return {'advantages': out + values[:-1]}", "nonconforming"),
            ("gae", "return {'returns': out + values[:-1]}", "conforms"),
            ("estimate", "out = out + values[:-1]; return out", "nonconforming"),
            # as in tutorials whose compute_gae gives a list that it calls returns
            ("compute_gae", "returns = list(out + values[:-1]); return np.array(returns)", "conforms"),
            ("compute_advantages", "returns = out + values[:-1]; return returns", "nonconforming"),
            ("gae_returns", "out = out + values[:-1]; return out", "conforms"),
        ],
        3,
    ),
)
def test_returns_are_no_advantages_unless_they_are_called_returns(
    tmp_path: Path, name: str, last_line: str, verdict: str
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"""
import numpy as np

def {name}(rewards, values, dones, gamma, lam):
    out, run = np.zeros(len(rewards)), 0.0
    for t in reversed(range(len(rewards))):
        run = rewards[t] + gamma * (1 - dones[t]) * (values[t + 1] + lam * run) - values[t]
        out[t] = run
    {last_line}
""")
    loader = SourceFileLoader("mine", str(path))
    module = ModuleType("mine")
    loader.exec_module(module)
    said = report(getattr(module, name))
    assert said.verdict == verdict
    assert matched(said) == ["returns-for-advantages"] * (verdict != "conforms")


@pytest.mark.slow
def test_a_flag_after_the_last_step_says_what_the_others_came_with() -> None:
    """Uses the flag of observation t for step t: right at all steps but the first for flags of the step."""

    def compute(rewards, values, dones, next_value, next_done, gamma, lam):
        return numpy_sequences.gae_masks(
            rewards, values, 1.0 - dones * (np.arange(len(dones)) > 0)[:, None], next_value, gamma, lam
        )

    binding = found(compute)
    assert (binding.ends, binding.agreed in ("fault", "part")) == ("observation", True)
    assert report(compute).verdict == "nonconforming"


def test_a_target_of_one_step_is_a_return_of_one_step() -> None:
    def td_target(reward, next_value, done, gamma=0.99):
        return reward + gamma * (1 - done) * next_value

    target = from_function(td_target)
    assert guessed_formula("td_target", target.facts) == "n_step_return"
    found = run(target, "n_step_return", random=0)
    assert found.verdict == "conforms"
    assert found.binding is not None
    assert found.binding.fixed == {"n": 1}


def test_a_letter_of_a_process_or_a_list_of_states_makes_no_other_formula() -> None:
    def n_step_return(r, v, t: int, n: int, gamma: float) -> None: ...

    def gae(states, rewards, values, gamma: float, lam: float) -> None: ...

    def td_lambda_return(states, rewards, values, gamma: float, lam: float) -> None: ...

    found = [
        guessed_formulas(f"a.py:{f.__name__}", facts_of(f)) for f in (n_step_return, gae, td_lambda_return)
    ]
    assert [names[0] for names in found[:2]] == ["n_step_return", "gae"]
    assert "lambda_return" in found[2]


def test_whether_a_vector_fits_is_found_once_for_each_vector(monkeypatch: pytest.MonkeyPatch) -> None:
    formula = load_formula("gae")
    target = bind(from_function(numpy_sequences.compute_gae), formula)
    vectors = golden_vectors("gae")
    laid_out, asked = bound.laid_out, []
    monkeypatch.setattr(bound, "laid_out", lambda *given: asked.append(given[2]) or laid_out(*given))
    first = [target.unable(vector) for vector in vectors]
    assert asked
    once = len(asked)
    # another vector of the same name is another question
    other = replace(vectors[0], arrays={**vectors[0].arrays, "gamma": np.asarray([0.5, 0.25])})
    assert [target.unable(vector) for vector in vectors] == first
    assert len(asked) == once
    assert target.unable(other) != first[0]
