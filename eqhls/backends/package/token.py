"""A token of control bits that stays beside its event: the habit of the correlator trigger."""

from __future__ import annotations

from eqhls.backends.package.package import Package, Settings
from eqhls.backends.package.wrapping import screen, sources, wrapper
from eqhls.errors import CompileError
from eqhls.lower.plan import Plan
from eqhls.text import Project

KIND = "token"
CELLS = ("delay", "valid_pipe")


def write(plan: Plan, settings: Settings) -> Project:
    """Return ip/token/. Raises CompileError without a width of the token."""
    if not settings.token:
        raise CompileError(
            "token",
            "found 0 bits, expected the width of the control token",
            "give its bits, for example --token 12",
        )
    return wrapper(plan, KIND, CELLS, {"bits": settings.token})


def connect(plan: Plan, settings: Settings) -> str:
    """Return how the wrapper is connected."""
    return screen(
        [
            sources(plan, KIND),
            f"in_token ({settings.token} bits) goes in beside in_data; out_token leaves beside the result,",
            f"  {plan.latency_cycles} clocks later, in every clock, valid or not.",
            "rst: synchronous, active high; tokens that came in before or during it come out as zero.",
        ]
    )


PACKAGE = Package(KIND, "a control token that comes out aligned with its result", write, connect)
