"""Faults of a whole answer, whatever it is made of."""

from __future__ import annotations

from rlcalc.conform.fault import Arrays, Outputs, output_fault

# outputs that change their sign with the answer
_SIGNED = frozenset({"loss", "losses", "advantages", "gradient"})


@output_fault("sign")
def sign_flipped(found: Outputs, arrays: Arrays) -> Outputs:
    """Gives the answer with the other sign: what should become more likely becomes less so.

    Shown when: Any answer other than 0.
    Cause: A difference the wrong way round, or an objective that is maximised in the place of a loss.
    Fix: A loss falls, and an advantage rises, with what is to be learnt.
    - return -answer
    + return answer
    """
    turned = {name for name in found if name in _SIGNED or name.startswith("d_")}
    # those of one loss are its derivative by its entries
    turned |= {"weights"} & found.keys() if "loss" in found else set()
    return {name: -value if name in turned else value for name, value in found.items()}
