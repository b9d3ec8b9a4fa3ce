"""Modules of torch in memory whose weights are fixed-point numbers, as one Circuit behind given ports.

torch has no quantizers that say a format, so the formats of the ports are given, and words grow exactly
from there: weights of few bits, and rectifiers, pooling and convolutions between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from eqhls.errors import CompileError
from eqhls.frontends.circuits import Network, appended, traced
from eqhls.frontends.scalars.site import Value
from eqhls.groups.rep import S
from eqhls.ir.graph import Builder, Graph
from eqhls.ir.types import Type
from eqhls.lazy import lazy
from eqhls.ops.input import Input

torch = lazy("torch", "torch", "pip install torch")


def read_torch(name: str, module: Any, ports: Mapping[str, Type]) -> Graph:
    """Return the graph `name` of a module. `ports` are the scalars that its forward takes, in order, each of
    one format; without events they have the shape of its axes. Its outputs are called y, or y0, y1 ...

    Raises CompileError for ports without a format, for what alkaid's tracer does not know, and for weights
    that are not fixed-point numbers of at most 24 bits.
    """
    for port, type in ports.items():
        if type.rep is not S or len(type.formats) != 1:
            raise CompileError(
                f"{name}: {port}", f"found {type}", "give a scalar of one format: S[c:4]:fix<8,3>"
            )
    module = module.eval()

    def compute(*arrays: Any) -> list[Any]:
        with torch.no_grad():
            found = module(*(torch.tensor(np.asarray(a, dtype=np.float32)) for a in arrays))
        return [t.numpy() for t in (found if isinstance(found, tuple | list) else (found,))]

    shapes = tuple(type.shape[:-1] for type in ports.values())
    outputs = tuple(tuple(o.shape[1:]) for o in compute(*(np.zeros((1, *s)) for s in shapes)))
    forms = tuple(type.formats[0] for type in ports.values())
    made = traced(name, Network(module, "torch", shapes, outputs, compute, forms))
    builder = Builder(name)
    inputs = [
        Value(builder.add(port, Input(type)), shape)
        for (port, type), shape in zip(ports.items(), shapes, strict=True)
    ]
    if len(outputs) == 1:
        return builder.graph(appended(builder, builder.fresh("y"), made, inputs)[0].name)
    values = appended(builder, builder.fresh("y"), made, inputs)
    builder.rename({v.name: f"y{k}" for k, v in enumerate(values)})
    return builder.graph(*(f"y{k}" for k in range(len(values))))
