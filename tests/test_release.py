"""The release of vectors for other languages, read by the runners that come with it."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from rlcalc.golden.files import load_all
from tests.command import run
from tests.sweep import sweep

OWN = """
import rlcalc


def own(**inputs):
    return {name: value.tolist() for name, value in rlcalc.compute(FORMULA, **inputs).items()}


def without(**inputs):
    inputs.pop(DROPPED, None)
    return own(**inputs)
"""
# masks and one axis more than a row; what is masked is absent
WHITEN = """
export default function whiten({ x, mask, ...rest }) {
  if (Array.isArray(x[0]?.[0])) return x.map((one, b) => whiten({ x: one, mask: mask?.[b], ...rest }));
  const { ddof = 1, eps = 0, place = "inside", shift_mean = 1 } = rest;
  if (eps < 0) throw new Error("eps");
  mask ??= x.map((row) => row.map(() => 1));
  const valid = x.flatMap((row, at) => row.filter((_, t) => MASKED));
  const mean = valid.reduce((sum, one) => sum + one, 0) / valid.length;
  const spread = valid.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (valid.length - ddof);
  const root = { inside: () => Math.sqrt(spread + eps), outside: () => Math.sqrt(spread) + eps,
                 floor: () => Math.sqrt(Math.max(spread, eps)) }[place]();
  const equal = valid.every((one) => one === valid[0]); // whose mean is rounded
  const flat = valid.length <= ddof || equal;
  const scaled = (one) => (flat ? 0 : (one - mean) / root) + (shift_mean ? 0 : mean);
  return x.map((row, at) => row.map((one, t) => (mask[at][t] ? scaled(one) : 0)));
}
"""
ENTROPY = """
#include <math.h>
#include <string.h>
struct array { char name[64]; int rank, length[8], size; double value[65536]; };
int answer(const struct array *in, int inputs, const char *output, double *out) {
  const struct array *p = 0;
  double base = M_E;
  for (int i = 0; i < inputs; i++) {
    if (!strcmp(in[i].name, "p")) p = &in[i];
    if (!strcmp(in[i].name, "base")) base = in[i].value[0];
  }
  if (!p || !p->size || base <= 0 || base == 1) return -1;
  int actions = p->length[p->rank - 1], rows = p->size / actions;
  for (int row = 0; row < rows; row++) {
    double sum = 0;
    out[row] = 0;
    for (int a = 0; a < actions; a++) {
      double one = p->value[row * actions + a];
      if (one < 0) return -1;
      sum += one;
      out[row] -= one > 0 ? one * LOG(one) / log(base) : 0;
    }
    if (fabs(sum - 1) > 1e-9) return -1;
  }
  return strcmp(output, "entropy") && *output ? 0 : rows;
}
"""


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "vectors"
    code, out, err = run("golden", "export", "--release", str(folder))
    assert (code, err) == (0, "")
    assert "manifest.json has their hashes" in out
    return folder


@pytest.mark.slow
def test_the_manifest_counts_and_hashes_every_file(release: Path) -> None:
    manifest = json.loads((release / "manifest.json").read_text("utf-8"))
    assert manifest["cases"] == sum(len(file.cases) for file in load_all())
    files = {path.relative_to(release).as_posix() for path in release.rglob("*") if path.is_file()}
    assert set(manifest["sha256"]) == files - {"manifest.json"}
    for name, digest in manifest["sha256"].items():
        assert hashlib.sha256((release / name).read_bytes()).hexdigest() == digest


@pytest.mark.slow  # every file against its schema
def test_schemas_have_ids_and_the_files_follow_theirs(release: Path) -> None:
    schemas = {
        path.name: json.loads(path.read_text("utf-8")) for path in (release / "schemas").glob("*.json")
    }
    assert len({schema["$id"] for schema in schemas.values()}) == len(schemas)
    validator = Draft202012Validator(schemas["release.schema.json"])
    for file in load_all():
        document = json.loads((release / f"{file.formula}.json").read_text("utf-8"))
        assert [error.message for error in validator.iter_errors(document)] == []


@pytest.mark.slow
def test_a_release_is_never_laid_over_other_files(release: Path) -> None:
    assert run("golden", "export", "--release", str(release))[0] == 2


def test_runners_are_short(release: Path) -> None:
    for path in (release / "runners").iterdir():
        lines = path.read_text("utf-8").splitlines()
        code = [
            line
            for line in lines
            if line.strip() and not line.strip().startswith(("//", "#", '"', "/*", "*"))
        ]
        assert len(code) <= (40 if path.suffix == ".c" else 35)


@pytest.mark.parametrize("formula", sweep([file.formula for file in load_all()], 10))
def test_the_python_runner_passes_every_formula(
    release: Path,
    formula: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source = (release / "runners" / "runner.py").read_text("utf-8")
    space: dict[str, object] = {"__name__": "runner"}
    exec(compile(source, "runner.py", "exec"), space)  # the file itself, without a process for each formula
    (tmp_path / f"own_{formula}.py").write_text(OWN.replace("FORMULA", repr(formula)), "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    failed = space["main"](str(release / f"{formula}.json"), f"own_{formula}:own")  # type: ignore[operator]
    assert not failed, capsys.readouterr().out


def test_the_python_runner_fails_wrong_code(release: Path, tmp_path: Path) -> None:
    text = OWN.replace("FORMULA", "'gae'").replace("DROPPED", "'truncated'")
    (tmp_path / "own.py").write_text(text, "utf-8")
    done = ran(
        [sys.executable, str(release / "runners" / "runner.py"), str(release / "gae.json"), "own:without"],
        tmp_path,
    )
    assert done.returncode == 1
    assert "gae/truncated-inside: advantages:" in done.stdout


def ran(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.parametrize(("masked", "code"), [("mask[at][t]", 0), ("true", 1)])
def test_the_javascript_runner(release: Path, tmp_path: Path, masked: str, code: int) -> None:
    (tmp_path / "own.mjs").write_text(WHITEN.replace("MASKED", masked), "utf-8")
    runner = str(release / "runners" / "runner.mjs")
    done = ran(["node", runner, str(release / "masked_whiten.json"), "own.mjs"], tmp_path)
    assert done.returncode == code, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
@pytest.mark.parametrize(("log", "code"), [("log", 0), ("log2", 1)])
def test_the_runner_in_c(release: Path, tmp_path: Path, log: str, code: int) -> None:
    (tmp_path / "own.c").write_text(ENTROPY.replace("LOG", log), "utf-8")
    runner = str(release / "runners" / "runner.c")
    built = ran(["cc", "-O1", runner, "own.c", "-lm", "-o", "run"], tmp_path)
    assert built.returncode == 0, built.stderr
    vectors = (release / "entropy.txt").read_text("utf-8")
    done = subprocess.run([str(tmp_path / "run")], input=vectors, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stdout
    assert int(done.stdout.split()[-4]) > 3  # passed, batches and refusals among them
