"""e = R + γ q − p."""

from __future__ import annotations

from typing import Any


def exact_form(d: Any, i: Any) -> None:
    reward, q, p, gamma = d.given("R", i.reward), d.given("q", i.q), d.given("p", i.p), d.given("γ", i.gamma)
    d.output("error", d.step("e", reward + gamma * q - p))


def array_form(xp: Any, a: Any) -> dict[str, Any]:
    return {"error": a.reward + a.gamma * a.q - a.p}
