"""Attacks on files, streams and sizes: devices, full disks, damaged vectors, hard numbers."""

from __future__ import annotations

import json
import os
import random
import re
import stat
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

from rlcalc.errors import RlcalcError
from rlcalc.specs import formula_names, read_formula
from tests.fuzz.documents import damaged
from tests.fuzz.scene import ROOT, Scene, scene, scenes

BIG = "9" * 5000
SEMIPRIME = 1000000000000000000000007 * 3000000000000000000000011
GOLDEN = """schema = "rlcalc-golden-1"
formula = "ppo_clip"
[[case]]
id = "ppo_clip/one"
about = "One case."
source = { ref = "derived", section = "by hand" }
flags = ["basic"]
result = "valid"
given = { ratio = "1.5", adv = "5", eps = "0.2" }
[case.want.objective]
exact = "6"
decimal = "6.0000000000000000000"
"""
MDP = f"""name = "two"
states = ["a", "b"]
actions = ["go"]
start = "a"
terminal = ["b"]
P = [[["0", "1"]], [["0", "1"]]]
R = [[{BIG}], ["0"]]
"""
FULL = "mount -t tmpfs -o size={size}k tmpfs small 2>/dev/null || {{ ulimit -f {size}; trap '' XFSZ; }}"


# what is written to


def into(at: Scene, given: tuple[str, str]) -> None:
    """A device, a pipe and a link stay what they are, and a link's target is written."""
    line, kind = given
    path, real = at.folder / "node.png", at.folder / "real.txt"
    real.write_text("keep", "ascii")
    if kind == "device":
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    elif kind == "pipe":
        os.mkfifo(path)
        at.started.append(subprocess.Popen(["cat", str(path)], stdout=subprocess.DEVNULL))
    else:
        path.symlink_to("/proc/self/fd/1" if kind == "stdout" else "real.txt")
    before = stat.S_IFMT(path.lstat().st_mode)
    done = at.ends(f"rlcalc {line} node.png", 0, 1, 2)
    assert stat.S_IFMT(path.lstat().st_mode) == before, f"the {kind} was replaced"
    assert kind != "link" or real.read_text("utf-8") != "keep", "the link's target was not written"
    assert kind != "stdout" or done.code == 2 or done.out, "nothing came out"


EXPORT = "golden export --formula ppo_clip --output"
scenes(
    {
        "write/golden-export-null": (EXPORT, "device"),
        "write/verify-junit-null": ("verify --formula ppo_clip --backends sympy --junit", "device"),
        "write/audit-html-null": ("audit --claim L2.2-lambda1-equal-weights --html", "device"),
        "write/golden-export-stdout-link": (EXPORT, "stdout"),
        "write/golden-export-fifo": (EXPORT, "pipe"),
        "write/plot-device": ("ppo-clip --ratio 1 --adv 1 --plot", "device"),
        "write/symlink": (EXPORT, "link"),
    },
    into,
)


@scene("disk/unbuffered")
def full(at: Scene) -> None:
    line = (
        f"seq 1 100000 > s.txt; mkdir small; {FULL.format(size=256)}; "
        "rlcalc discounted-return --rewards @s.txt --gamma 0.99 --json > small/x; code=$?; "
        "umount small 2>/dev/null; exit $code"
    )
    at.ends(line, 2, PYTHONUNBUFFERED="1")


@scene("pipe/unbuffered")
def head(at: Scene) -> None:
    line = "rlcalc discounted-return --rewards @s.txt --gamma 0.99 --json | head -1 > /dev/null"
    at.ends(f"seq 1 100000 > s.txt; {line}; exit ${{PIPESTATUS[0]}}", 141, PYTHONUNBUFFERED="1")


# what is refused before anything is printed


def refused(at: Scene, line: str) -> None:
    assert not at.soon(line, 2).out.strip(), "something was printed before the refusal"


scenes(
    {
        "file/empty-entry": "printf '1,,2\\n' > c.txt; rlcalc discounted-return -q --rewards @c.txt",
        "file/fifo-verify": "mkfifo fifo.toml; rlcalc verify fifo.toml",
        "file/fifo-mdp": "mkfifo fifo.toml; rlcalc bellman --mdp fifo.toml --gamma 1/2",
        "file/mdp-zero": "ln -s /dev/zero z.toml; ulimit -v 3000000; rlcalc bellman --mdp z.toml --gamma 1/2",
        "half/plot-symbols": "rlcalc n-step --rewards 1 --gamma g --n 1 --plot x.png -q",
        "audit/html-late": "rlcalc audit --html nowhere/x.html",
        "crash/completion": "_RLCALC_COMPLETE=complete_bash rlcalc",
        "crash/stdout-closed": "rlcalc lambda-return --rewards 1 2 3 --lam 0.5 >&-",
        "ppo/plot-late": "rlcalc ppo-run --env bandit --steps 128 --plot x.txt",
    },
    refused,
)
scenes(
    {"crash/stderr-closed": "2>&-", "crash/stderr-full": "2>/dev/full"},
    lambda at, to: at.ends(f"rlcalc lambda-return --typo {to}; code=$?; echo refused >&2; exit $code", 2),
)


# JSON and hard numbers


@scene("crash/rat200-json")
def rationals(at: Scene) -> None:
    chance = random.Random(1)
    numbers = ["".join(chance.choice("123456789") for _ in range(200)) for _ in range(60)]
    at.write("rat.txt", "\n".join(f"{a}/{b}" for a, b in zip(numbers[::2], numbers[1::2], strict=True)))
    json.loads(at.soon("rlcalc discounted-return --rewards @rat.txt --gamma 1/2 --json", 0).out)


@scene("json/ascii-error")
def ascii_error(at: Scene) -> None:
    line = "rlcalc importance --p 1/10 9/10 --q 0 1 --f 1 1 --json"
    assert json.loads(at.soon(line, 2, PYTHONIOENCODING="ascii").err.strip().splitlines()[-1])


@scene("json/latin1-emoji")
def latin1(at: Scene) -> None:
    line = "rlcalc token-mdp --prompt é --tokens 🎲 b --json"
    assert "🎲" in str(json.loads(at.soon(line, 0, PYTHONIOENCODING="latin-1").out))


LETTERS = [f"x{number}" for number in range(1, 257)]
scenes(
    {
        "mem/softmax-1e11": "softmax --theta 1e11 0",
        "slow/entropy-base-50": f"entropy --p 2/3 1/3 --base {SEMIPRIME}",
        "slow/entropy-p-50": f"entropy --p 1/{SEMIPRIME} 1-1/{SEMIPRIME} --base 2",
        "slow/gamma-500": f"discounted-return --rewards {'1 ' * 128} --gamma 1/{'3' * 500}",
        "slow/lambda-200": f"lambda-return --rewards {'1/7 ' * 100}--lam 1/{'3' * 200} --gamma 1/{'7' * 200}",
        "slow/ppo-clip-power": "ppo-clip --ratio a --adv '(a+b+c+d+f)**12'",
        "slow/reinforce-32": f"reinforce-step --theta {' '.join(LETTERS[:32])} --action 0 --return r",
        "slow/score-256": f"score --theta {' '.join(LETTERS)} --action 0",
        "slow/grpo-sqrt": "grpo-advantage --rewards " + " ".join(f"'sqrt({n})'" for n in range(1, 257)),
        "slow/baseline-best": "baseline-variance --policy 'exp(-1)' "
        + "'(1-exp(-1))/4' " * 4
        + "--returns a b 9000 7 6 --baseline best",
    },
    lambda at, words: at.soon(f"ulimit -v 6000000; rlcalc {words} -q", 0, 2),
)


@scene("slow/mdp-64x50")
def large_process(at: Scene) -> None:
    chance, states = random.Random(7), 64

    def row() -> list[str]:
        weights = [chance.randrange(10**49, 10**50) for _ in range(states)]
        return [f"{weight}/{sum(weights)}" for weight in weights]

    moves = json.dumps([[row() for _ in range(3)] for _ in range(states)])
    rewards = json.dumps([[f"{chance.randrange(99)}/{10**49 + 9}" for _ in range(3)] for _ in range(states)])
    names = json.dumps([f"s{number}" for number in range(states)])
    head = f'name = "big"\nstates = {names}\nactions = ["a", "b", "c"]\nstart = "s0"\n'
    at.write("mdp.toml", f"{head}P = {moves}\nR = {rewards}\n")
    at.soon("rlcalc bellman --mdp mdp.toml --gamma 0.99 -q", 0, 2)


# damaged files


scenes(
    {
        "toml/bigint": ('adv = "5"', f"adv = {BIG}"),
        "toml/flag-list": ('["basic"]', '[["f"]]'),
        "toml/flag-dict": ('["basic"]', "[{ a = 1 }]"),
        "toml/schema-big": ('"rlcalc-golden-1"', "0x" + "f" * 5000),
    },
    lambda at, change: at.soon(f"rlcalc verify {at.write('x.toml', GOLDEN.replace(*change))}", 2),
)
scenes(
    {"toml/mdp-bigint": "rlcalc bellman --mdp x.toml --gamma 1/2"},
    lambda at, line: at.soon(line, 2) if at.write("x.toml", MDP) else None,
)


@scene("toml/pytest-plugin")
def plugin(at: Scene) -> None:
    at.write("flags.toml", GOLDEN.replace('["basic"]', '[["f"]]'))
    at.write("test_nothing.py", "")
    line = f"{sys.executable} -m pytest -q -p no:cacheprovider --rlcalc-vectors flags.toml"
    done = at.shell(line)
    assert done.code in (2, 4), f"exit code {done.code}"
    assert "INTERNALERROR" not in done.out + done.err


@scene("toml/junit-fffe")
def no_xml(at: Scene) -> None:
    flag = '[flag.other]\nkind = "convention"\nabout = "Another A."\neffect = "Both are recorded."\n[[case]]'
    other = (
        '[[case.otherwise]]\nwhen = "x \\uFFFE y"\ngiven = { adv = "1" }\n[case.otherwise.want.objective]\n'
    )
    text = (
        GOLDEN.replace("[[case]]", flag).replace('["basic"]', '["other"]').replace('"valid"', '"acceptable"')
    )
    at.write("x.toml", text + other + 'exact = "6/5"\ndecimal = "1.2000000000000000000"\n')
    at.ends("rlcalc verify x.toml --backends sympy --junit j.xml", 0, 1)
    ElementTree.parse(at.folder / "j.xml")


@scene("spec/mutated")
def specifications(at: Scene) -> None:
    """Each damaged one is read, or refused as one that is none."""
    chance, refusals, names = random.Random(11), 0, formula_names()
    for number in range(200):
        name = names[number % len(names)]
        path = at.folder / f"{name}.toml"
        text = (ROOT / "specs" / "formulas" / path.name).read_text("utf-8")
        path.write_bytes(damaged(text, chance))
        try:
            read_formula(path)
        except RlcalcError:
            refusals += 1
        except Exception as error:
            raise AssertionError(f"{name}, change {number}: {error!r}") from error
    at.said = f"200 damaged specifications: {refusals} refused, {200 - refusals} read"


# what is installed


@scene("deps/torch-2.2")
def oldest(at: Scene) -> None:
    at.said = re.findall(r'torch = \["(.*)"\]', (ROOT / "pyproject.toml").read_text("utf-8"))[0]
    assert at.said == "torch>=2.3", "another oldest torch; try it"


@scene("deps/constraints-cuda")
def which_torch(at: Scene) -> None:
    first = (ROOT / "README.md").read_text("utf-8").split("```sh\n")[1].split("\n")[0]
    assert "[" not in first, "README's first command brings an extra"
    said = " ".join((ROOT / "CONTRIBUTING.md").read_text("utf-8").split())
    assert "from the Python Package Index, the CUDA build" in said
    at.said = "README's first command needs no torch; CONTRIBUTING.md says which one comes"


@scene("deps/hashes")
def hashes(at: Scene) -> None:
    count = (ROOT / ".ci" / "lock.txt").read_text("utf-8").count("--hash=")
    at.said = f"{count} hashes in .ci/lock.txt"
    assert count > 50
