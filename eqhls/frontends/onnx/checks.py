"""ONNX files that are not trusted: parsed, checked, and kept inside their folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import checker, external_data_helper

from eqhls.errors import CompileError
from eqhls.exchange.attributes import MOST_ELEMENTS
from eqhls.exchange.domain import DOMAIN, VERSION

LARGEST_FILE = 1 << 30
REALS = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)
KINDS = {number: name for name, number in onnx.TensorProto.DataType.items()}


def kind_of(number: int) -> str:
    """Return the name of a data type of ONNX, such as INT64."""
    return KINDS.get(number, str(number))


def load_checked(path: Path) -> onnx.ModelProto:
    """Return the model of a file that passes onnx.checker, with its external data.

    Raises CompileError for missing, foreign, damaged and too new files, and for data outside the folder.
    """
    where = str(path)
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise CompileError(where, "is larger than 1 GB", "no network on an FPGA has so many weights")
        model = onnx.load_model_from_string(path.read_bytes())
    except FileNotFoundError:
        raise CompileError(where, "does not exist", "check the path") from None
    except (OSError, DecodeError, ValueError) as error:
        raise CompileError(where, f"cannot be read ({error})", "the file is damaged or foreign") from None
    if not model.graph.node:
        raise CompileError(where, "holds no operator", "the file is damaged or foreign")
    _check_version(model, where)
    _load_external(model, path)
    try:
        checker.check_model(model)
    except (checker.ValidationError, ValueError, RuntimeError) as error:
        first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise CompileError(where, f"is refused by onnx.checker ({first[:200]})", "export it again") from None
    return model


def _check_version(model: onnx.ModelProto, where: str) -> None:
    for opset in model.opset_import:
        if opset.domain == DOMAIN and opset.version > VERSION:
            raise CompileError(
                where,
                f"needs version {opset.version} of {DOMAIN}, expected at most {VERSION}",
                "update eqhls, or export with the older version",
            )


def _load_external(model: onnx.ModelProto, path: Path) -> None:
    """Read external data that lies in the folder of the file and nowhere else."""
    folder = path.resolve().parent
    for tensor in _tensors(model):
        if not external_data_helper.uses_external_data(tensor):
            continue
        where = f"{path}: {tensor.name or 'tensor'}"
        info = external_data_helper.ExternalDataInfo(tensor)
        target = (folder / info.location).resolve()
        if not info.location or not target.is_relative_to(folder):
            raise CompileError(
                where, f"keeps its data in {info.location!r}, outside the folder", "keep it beside the file"
            )
        try:
            if target.stat().st_size > LARGEST_FILE or (info.length or 0) > 8 * MOST_ELEMENTS:
                raise CompileError(
                    where,
                    "has more than 1 GB of external data",
                    "export a smaller model: no network on an FPGA has so many weights",
                )
            external_data_helper.load_external_data_for_tensor(tensor, str(folder))
        except (OSError, ValueError, checker.ValidationError) as error:
            raise CompileError(
                where, f"has external data that cannot be read ({error})", "keep it beside the file"
            ) from None
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    yield from model.graph.initializer
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                yield attribute.t
            yield from attribute.tensors
