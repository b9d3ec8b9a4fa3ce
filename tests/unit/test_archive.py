"""Checkpoints are read as data: whatever else a file may hold, it is refused by name and nothing runs."""

from __future__ import annotations

import argparse
import builtins
import collections
import os
import pickle
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torchfiles import VALUES, Call, Global, Storage, namespace, pickled, tensor, write

from eqhls.errors import CompileError
from eqhls.frontends.checkpoints.archive import MAX_BYTES, read_arrays, read_checkpoint, read_config
from eqhls.frontends.checkpoints.load import is_checkpoint, load_checkpoint


def test_a_checkpoint_is_read_whole(tmp_path: Path) -> None:
    """Tensors, views, arguments, and all that an optimizer leaves behind."""
    scalar = Call(
        "numpy._core.multiarray.scalar", Call("numpy.dtype", "f8", False, True, state=(3, "<")), None
    )
    scalar.arguments = (
        scalar.arguments[0],
        Call("_codecs.encode", np.float64(0.25).tobytes().decode("latin1"), "latin1"),
    )
    weight = tensor()
    value = {
        "args": namespace(nobj=16, scale=1.5, channels=[[4], [4]], best=scalar, none=None, flag=True),
        "model_state": Call("collections.OrderedDict", state={"_metadata": Call("collections.OrderedDict")}),
        "optimizer_state": Call(
            "torch.optim.adamw.AdamW",
            new=True,
            state={"state": Call("collections.defaultdict", Global("builtins.dict"))},
        ),
        "scheduler": Call(
            "src.trainer.scheduler.Warmup",
            new=True,
            state={"steps": [1, 2], "device": Call("torch.device", "cuda", 0)},
        ),
    }
    value["model_state"] = {
        "module.a.weight": weight,
        "module.a.bias": Call(
            "torch._utils._rebuild_parameter",
            tensor(offset=1, size=(2,), stride=(2,)),
            True,
            Call("collections.OrderedDict"),
        ),
        "module.transposed": tensor(size=(3, 2), stride=(1, 3)),
        "module.empty": tensor(size=(0, 3), stride=(3, 1)),
        "module.single": tensor(offset=5, size=(), stride=()),
    }
    found = read_checkpoint(
        write(tmp_path / "net.pt", value, extra={"net/byteorder": b"little", "net/version": b"3\n"})
    )
    grid = VALUES.reshape(2, 3)
    assert found.arguments["nobj"] == 16 and found.arguments["best"] == 0.25
    assert found.arguments["channels"] == [[4], [4]]
    np.testing.assert_array_equal(found.arrays["a.weight"], grid)
    np.testing.assert_array_equal(found.arrays["a.bias"], VALUES[[1, 3]])
    np.testing.assert_array_equal(found.arrays["transposed"], grid.T)
    assert found.arrays["empty"].shape == (0, 3) and found.arrays["single"] == VALUES[5]


def test_records_of_big_endian_machines_are_read(tmp_path: Path) -> None:
    path = write(
        tmp_path / "net.pt", {"w": tensor()}, VALUES.astype(">f4").tobytes(), extra={"net/byteorder": b"big"}
    )
    np.testing.assert_array_equal(read_checkpoint(path).arrays["w"], VALUES.reshape(2, 3))


@pytest.mark.parametrize(
    "kind, code",
    [("DoubleStorage", "f8"), ("HalfStorage", "f2"), ("LongStorage", "i8"), ("BoolStorage", "b1")],
)
def test_types_of_numbers(tmp_path: Path, kind: str, code: str) -> None:
    values = np.array([0, 1, 1, 0, 1, 0]).astype(code)
    path = write(tmp_path / "net.pt", {"w": tensor(Storage(kind=kind))}, values.tobytes())
    np.testing.assert_array_equal(read_checkpoint(path).arrays["w"], values.reshape(2, 3))


def test_what_python_itself_pickles_of_a_namespace(tmp_path: Path) -> None:
    """Protocols 2 to 5 of Python's own pickler, not of the writer above."""
    for protocol in (2, 3, 4, 5):
        value = argparse.Namespace(a=1, b=[1.5, None], c=collections.OrderedDict(x="y"), d=b"raw")
        path = write(tmp_path / f"{protocol}.pt", pickle.dumps({"args": value, "model": {}}, protocol))
        with pytest.raises(CompileError, match="holds no tensor"):
            read_checkpoint(path)


HOSTILE: dict[str, tuple[Any, str]] = {
    "os.system": (Call("os.system", "touch x"), "os.system, which can run code"),
    "posix.system": (Call("posix.system", "touch x"), "posix.system, which can run code"),
    "eval": (Call("builtins.eval", "1"), "builtins.eval, which can run code"),
    "python 2 eval": (Call("__builtin__.eval", "1"), "__builtin__.eval, which can run code"),
    "exec": (Call("builtins.exec", "1"), "builtins.exec, which"),
    "getattr": (Call("builtins.getattr", {}, "keys"), "builtins.getattr, which"),
    "subprocess": (Call("subprocess.Popen", ["touch", "x"]), "subprocess.Popen, which"),
    "popen as an object": (Call("subprocess.Popen", new=True, state={"a": 1}), "subprocess.Popen, which"),
    "mentioned only": ([Global("os.system")], "os.system, which"),
    "main": (Call("__main__.run"), "__main__.run, which"),
    "runstring": (
        Call("numpy.testing._private.utils.runstring", "1", {}),
        "call numpy.testing._private.utils.runstring",
    ),
    "torch.load": (Call("torch.load", "x"), "call torch.load"),
    "numpy.load": (Call("numpy.load", "x"), "call numpy.load"),
    "os through another module": (
        Call("torch.serialization.os.system", "x"),
        "call torch.serialization.os.system",
    ),
    "partial": (Call("functools.partial", Global("torch.load"), "x"), "functools.partial, which"),
    "class with arguments": (Call("torch.nn.Linear", 3, 4, new=True), "call torch.nn.Linear"),
    "namespace with arguments": (Call("argparse.Namespace", 1, new=True), "call argparse.Namespace"),
    "call a namespace": (Call("argparse.Namespace"), "call argparse.Namespace"),
    "call of a tensor": (
        Call("torch._utils._rebuild_device_tensor_from_numpy", 1),
        "call torch._utils._rebuild_device_tensor_from_numpy",
    ),
    "codec": (Call("_codecs.encode", "x", "rot13"), "_codecs.encode with 'rot13'"),
    "strange dtype": (Call("numpy.dtype", "O8"), "NumPy scalars of type 'O8'"),
    "state that is not a dictionary": (
        Call("torch.optim.Adam", new=True, state=[1]),
        "torch.optim.Adam has a list as state",
    ),
    "key of nested tuples": ({((1,), (2,)): 1}, "has a tuple as key"),
    "unknown persistent id": (Storage(tag="module"), "persistent id that is not a tensor storage"),
    "tensor of no storage": (tensor(b"123"), "tensor without storage"),
    "inst": (b"(ios\nsystem\n.", "asks to call os.system"),
    "obj": (b"(cos.path\njoin\no.", "os.path.join, which"),
    "extension registry": (b"\x80\x02\x82\x01.", "opcode EXT1"),
    "allocation by opcode": (b"\x80\x05\x96" + b"\xff" * 7 + b"\x7f.", "bytearray8|BYTEARRAY8"),
    "memo at a far index": (b"\x80\x02Nr\xff\xff\xff\xff.", "holds a NoneType"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_pickles_are_refused_by_name(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No case may reach a function of Python: those that matter are set to fail the test."""

    def tripped(*_: Any, **__: Any) -> None:
        raise AssertionError("a checkpoint ran something")

    value, message = HOSTILE[case]
    path = write(tmp_path / "net.pt", value)
    for module, name in ((os, "system"), (subprocess, "Popen"), (builtins, "eval")):
        monkeypatch.setattr(module, name, tripped)
    with pytest.raises(CompileError, match=message) as raised:
        read_checkpoint(path)
    assert str(raised.value).startswith(str(path))


def test_the_writer_of_these_tests_is_dangerous(tmp_path: Path) -> None:
    """The control: an unpickler that executes would run what the cases above hold."""
    mark = tmp_path / "ran"
    pickle.loads(pickled(Call("os.system", f"touch {mark}")))
    assert mark.exists()


BROKEN: dict[str, tuple[Any, str]] = {
    "ends early": (pickled({"w": tensor()})[:-9], "cannot be read|ends early"),
    "no pickle": (b"hello", "cannot be read"),
    "empty pickle": (b"", "cannot be read|ends early"),
    "stack underflow": (b"\x80\x02R.", "cannot be read"),
    "append to a number": (b"\x80\x02K\x01K\x02a.", "cannot be read"),
    "odd items": (b"\x80\x02}(K\x01u.", "cannot be read"),
    "missing memo": (b"\x80\x02h\x07.", "cannot be read"),
    "missing record": ({"w": tensor(Storage("7"))}, "no record data/7"),
    "record too short": ({"w": tensor(Storage(count=7))}, "24 bytes, expected 7 numbers of 4"),
    "record of other numbers": (
        {"w": tensor(Storage(kind="DoubleStorage"))},
        "24 bytes, expected 6 numbers of 8",
    ),
    "unknown numbers": ({"w": tensor(Storage(kind="ComplexFloatStorage"))}, "type torch.ComplexFloatStorage"),
    "path in a key": ({"w": tensor(Storage("../../etc/passwd"))}, "no record data/../../etc/passwd"),
    "offset out of range": ({"w": tensor(offset=1)}, r"shape \(2, 3\), strides \(3, 1\) from 1 in 6 numbers"),
    "stride out of range": ({"w": tensor(stride=(4, 1))}, "strides"),
    "negative stride": ({"w": tensor(stride=(-3, 1))}, "without storage, shape or strides"),
    "shape of floats": ({"w": tensor(size=(2.0, 3))}, "without storage, shape or strides"),
    "expanded to terabytes": ({"w": tensor(size=(1 << 20, 1 << 20), stride=(0, 0))}, "in 6 numbers"),
    "shape without strides": ({"w": tensor(stride=(1,))}, "cannot be read"),
    "list of tensors": ([tensor()], "holds a list"),
    "nothing": ({}, "holds no tensor"),
    "no tensors": ({"epoch": 3}, "'epoch' is a int"),
    "a name twice": ({"w": tensor(), "module.w": tensor()}, "w twice"),
    "arguments of text": ({"args": "x", "model_state": {"w": tensor()}}, "arguments of type str"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_pickles_have_one_message(case: str, tmp_path: Path) -> None:
    value, message = BROKEN[case]
    with pytest.raises(CompileError, match=message):
        read_checkpoint(write(tmp_path / "net.pt", value))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_must_be_finite(bad: float, tmp_path: Path) -> None:
    values = VALUES.copy()
    values[4] = bad
    with pytest.raises(CompileError, match="checkpoint: w: holds NaN or infinity"):
        read_checkpoint(write(tmp_path / "net.pt", {"w": tensor()}, values.tobytes()))


def _zip(path: Path, names: list[str], compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name in names:
            archive.writestr(name, pickled({"w": tensor()}))


def _truncated(path: Path) -> None:
    write(path, {"w": tensor()})
    path.write_bytes(path.read_bytes()[:-30])


def _flipped(path: Path) -> None:
    """One bit of a record, so that its checksum fails."""
    write(path, {"w": tensor()})
    content = bytearray(path.read_bytes())
    content[content.index(VALUES.tobytes())] ^= 1
    path.write_bytes(bytes(content))


def _lying(path: Path) -> None:
    """A directory that declares more bytes than the file has."""
    write(path, {"w": tensor()}, extra={"net/large": b"0" * 16})
    content = path.read_bytes()
    start = content.rindex(b"PK\x01\x02")
    size = (MAX_BYTES - 1).to_bytes(4, "little")
    path.write_bytes(content[: start + 20] + size + size + content[start + 28 :])


def _twice(path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "w") as archive:
        for name in ("net/data.pkl", "net/data/0", "net/data/0"):
            archive.writestr(name, b"0")


ARCHIVES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda p: None, "does not exist"),
    "empty": (lambda p: p.write_bytes(b""), "is not a file of torch.save"),
    "text": (lambda p: p.write_text("hello"), "is not a file of torch.save"),
    "folder": (lambda p: p.mkdir(), "cannot be read"),
    "before torch 1.6": (
        lambda p: p.write_bytes(pickle.dumps(0x1950A86A20F9469CFC6C, 2)),
        "older than torch 1.6",
    ),
    "tar": (lambda p: p.write_bytes(b"\0" * 257 + b"ustar\0"), "older than torch 1.6"),
    "truncated": (_truncated, "damaged or truncated zip|is not a file"),
    "checksum": (_flipped, "damaged or truncated zip"),
    "declared larger": (_lying, "declares 107374"),
    "a record twice": (_twice, "has net/data/0 twice"),
    "no pickle": (lambda p: _zip(p, ["net/version"]), "no data.pkl"),
    "pickle at the top": (lambda p: _zip(p, ["data.pkl"]), "no data.pkl"),
    "two roots": (lambda p: _zip(p, ["a/data.pkl", "b/data.pkl"]), "no data.pkl in its top-level folder"),
    "compressed": (lambda p: _zip(p, ["net/data.pkl"], zipfile.ZIP_DEFLATED), "compressed or encrypted"),
    "absolute path": (lambda p: _zip(p, ["net/data.pkl", "/etc/passwd"]), "entry '/etc/passwd'"),
    "path upwards": (lambda p: _zip(p, ["net/data.pkl", "net/../../x"]), "entry 'net/../../x'"),
    "torchscript": (lambda p: _zip(p, ["net/data.pkl", "net/constants.pkl"]), "TorchScript"),
    "unknown byteorder": (
        lambda p: write(p, {"w": tensor()}, extra={"net/byteorder": b"middle"}),
        "unknown byteorder",
    ),
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_broken_archives_have_one_message(case: str, tmp_path: Path) -> None:
    make, message = ARCHIVES[case]
    path = tmp_path / "net.pt"
    make(path)
    with pytest.raises(CompileError, match=message) as raised:
        read_checkpoint(path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["state_dict.npz", "weights.npz"])
def test_folders_of_plain_arrays(name: str, tmp_path: Path) -> None:
    """In config.json null says nothing, and the sizes beside `args` are those of the events."""
    assert not is_checkpoint(tmp_path)
    np.savez(tmp_path / name, **{"module.w": VALUES})
    np.testing.assert_array_equal(read_arrays(tmp_path / name).arrays["w"], VALUES)
    assert is_checkpoint(tmp_path)
    text = '{"nobj": 3, "name": null, "args": {"nobj": null, "scale": 1, "top": null, "name": "n"}}'
    (tmp_path / "config.json").write_text(text)
    assert read_config(tmp_path / "config.json") == {"nobj": 3, "scale": 1, "name": "n"}
    (tmp_path / "config.json").write_text('{"nobj": 3, "args": {"nobj": 4}}')
    assert read_config(tmp_path / "config.json") == {"nobj": 3}
    with pytest.raises(CompileError, match="holds w and others, which match no supported network"):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("array", [np.array([{}], dtype=object), np.array(["text"]), np.array([1j])])
def test_arrays_that_are_no_weights(array: Any, tmp_path: Path) -> None:
    np.savez(tmp_path / "state_dict.npz", w=array)
    with pytest.raises(CompileError, match="not a readable .npz|expected numbers"):
        read_arrays(tmp_path / "state_dict.npz")


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"args": 3}', "[" * 100000])
def test_configurations_that_are_none(text: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(CompileError, match="JSON|keys and values"):
        read_config(tmp_path / "config.json")
