"""How people spell names: in which order, with what around them, and in which letters."""

from __future__ import annotations

import re
from functools import cache

from rlcalc.conform.target.policies import is_policy, parts_of
from rlcalc.conform.target.syntax import last_name

_BEFORE = re.compile(r"^(batch|mb|b|t|buf|rollout|traj|all|ep|episode)-")
_AFTER = re.compile(
    r"-(t|tm1|arr|array|buf|buffer|list|batch|tensor|seq|b|np|history|traj|episode|trajectory)$"
)
# long words, and what they are in the tables
_SHORT = (("probabilities", "probs"), ("probability", "prob"), ("log-likelihood", "log-prob"))


def _by_word(spellings: dict[str, str]) -> dict[str, str]:
    """The usual spelling of each word."""
    return {word: usual for usual, words in spellings.items() for word in words.split()}


# words that people spell in several ways
_LOG_PROBS = re.compile(r"\b(per-)?(token-)?(log-?probabilities|log-?probs?|logps?|lps?)\b")
_SPELT = _by_word(
    {
        "low": "lo lower min",
        "high": "hi upper max",
        "coef": "coeff coefficient weight",
        "ref": "reference base",
        "old": "prev previous behavior behaviour rollout",
        "new": "current curr cur",
        "policy": "pi theta model",
        "chosen": "w win winner preferred yw",
        "rejected": "l lose loser dispreferred yl",
        "mask": "masks",
        "advantage": "advantages adv advs",
        "value": "values val vf v",
        "reward": "rewards",
        "eps": "epsilon",
    }
)

# words that say of what something is
_OF_WHAT = {
    *("row", "seq", "sequence", "sample", "response", "completion", "token", "group", "grouped"),
    *("actor", "action", "step", "taken"),
}


def dashed(name: str) -> str:
    return name.replace("_", "-").lower().strip("-")


# words in names of networks, as they are spelt most; of some that they are networks is all they say
_OF_NETWORKS = _by_word(
    {
        "": "net network nn model function fn func soft module double",
        "q": "qf qnet qnetwork dqn qfunction",
        "online": "local main eval current behavior",
        "target": "tgt targ targets fixed frozen",
    }
)


def forms(name: str) -> list[str]:
    """A name as it is, then with less and less around it."""
    word = name.strip("_").replace("_", "-").lower() + ("-" if name.endswith("_") else "")
    plain = word.strip("-")
    # what follows has a bar behind it, whatever stands before it
    found = [word, *([_BEFORE.sub("", word)] if word.endswith("-") else []), plain]
    for long, short in _SHORT:
        plain = plain.replace(long, short)
    without = _AFTER.sub("", plain)
    for less in (plain, without, _BEFORE.sub("", plain), _BEFORE.sub("", without)):
        found += [less, less.removesuffix("s"), f"{less}s"]
    return found


def word_set(name: str) -> frozenset[str]:
    """The words of a name, each as it is spelt most."""
    plain = _LOG_PROBS.sub("logp", dashed(name))
    return frozenset(_SPELT.get(word, word) for word in plain.split("-"))


def plain_words(name: str) -> frozenset[str]:
    """The same without those that say of what, which is clear from the formula."""
    return word_set(name) - _OF_WHAT


@cache
def network_words(name: str) -> frozenset[str]:
    """What tells a network from others by its name: of ``critic_net_2_target()`` critic, 2 and target."""
    words = re.split(r"-+|(\d)", dashed(name.removesuffix("()")))
    return frozenset(_OF_NETWORKS.get(word, word) for word in words if word) - {""}


def spellings(name: str) -> tuple[str, ...]:
    """A name in small letters with a bar between its words; an abbreviation may have small letters itself."""
    whole = re.sub(r"([A-Z])([A-Z][a-z])", r"\1_\2", name)  # the GRPO of GRPOLoss, the SimPO of SimPOLoss
    return tuple(dict.fromkeys([re.sub(r"([a-z])([A-Z])", r"\1_\2", whole).lower(), whole.lower()]))


WHICH = re.compile(
    r"(?:^|-)(old|prev|behaviou?r|ref|reference|base|target|new|current|cur|chosen|rejected)(?:-|$)"
)


@cache
def spoken(name: str) -> str:
    """What a function of log-probabilities would call a place that stands for several."""
    if not is_policy(name):
        return name
    parts, _ = parts_of(name)
    source = next(iter(parts.values()))
    which = WHICH.search(dashed(last_name(source.partition("()")[0] + "()" * ("()" in source))))
    which = which or WHICH.search(dashed(last_name(source)))
    return f"{which[1]}-log-probs" if which else "log-probs"
