"""eqhls info: what a model holds and would cost."""

from __future__ import annotations

from eqhls.commands.shell import ConfigArg, ModelArg, show
from eqhls.frontends.open import load_any
from eqhls.passes import simplify
from eqhls.report.tables import cost_lines, model_facts, model_table


def info(model: ModelArg, config: ConfigArg = None) -> None:
    """Show the ops and types of a model, and what it would cost."""
    graph = simplify(load_any(model, config))
    show(model_facts(graph), model_table(graph), *cost_lines(graph))
