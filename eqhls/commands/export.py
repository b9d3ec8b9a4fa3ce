"""eqhls export: a model as an ONNX file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eqhls.commands.shell import ModelArg, show
from eqhls.errors import CompileError
from eqhls.frontends.open import load_any
from eqhls.lazy import lazy

onnx = lazy("eqhls.backends.onnx.write", "ONNX", "pip install 'eqhls[onnx]'")


def export(
    model: ModelArg,
    output: Annotated[Path, typer.Option("-o", "--output", help="the .onnx file to write")],
    engine: Annotated[
        str,
        typer.Option(
            help="the arithmetic of the exported model: float, or integer if every value has a format"
        ),
    ] = "",
    double: Annotated[
        bool, typer.Option("--double", help="use double precision for ports and values")
    ] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="write standard ONNX operators only, with Quant nodes kept")
    ] = False,
) -> None:
    """Write MODEL as an ONNX file that onnxruntime runs.

    Its operators are those of com.eqhls (docs/onnx.md).
    """
    if engine not in ("", "float", "integer"):
        raise CompileError("--engine", f"found {engine!r}, expected float or integer", "choose one of these")
    graph = load_any(model)
    exact = graph.quantized if not engine else engine == "integer"
    onnx.export_onnx(graph, output, exact, double, plain)
    numbers = "integer" if exact else "float"
    show({"wrote": output, "numbers": numbers}, f"wrote {output}, {numbers} numbers")
