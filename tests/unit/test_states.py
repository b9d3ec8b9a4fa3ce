"""A checkpoint is read whole or refused: wrappers, running averages, tensors and settings that nobody reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from states import UNUSED, load, network, one, prefixed
from torchfiles import VALUES, Call, Storage, pickled, tensor, write

from eqhls.errors import CompileError
from eqhls.frontends.checkpoints.archive import read_checkpoint
from eqhls.frontends.checkpoints.arguments import RULES
from eqhls.frontends.checkpoints.states import Taken

PREFIXES = (
    "module.",
    "_orig_mod.",
    "module._orig_mod.",
    "_orig_mod.module.",
    "module.module.",
    "model.",
    "net.",
)
PREFIXES += ("model._orig_mod.", "net.module.", "_forward_module.", "ema_model.module.")


@pytest.mark.parametrize("family", RULES)
def test_wrappers_come_off_in_every_family(family: str, tmp_path: Path) -> None:
    state, arguments = network(family)
    plain = load(tmp_path / "net", state, arguments)
    for prefix in PREFIXES:
        assert load(tmp_path / "net", prefixed(state, prefix), arguments) == plain, prefix
    averaged = prefixed(state, "module.") | {"n_averaged": np.array(5)}
    assert load(tmp_path / "net", averaged, arguments) == plain


@pytest.mark.parametrize("family", sorted(RULES.keys() - {"tfn"}))
def test_prefixes_of_some_names_are_refused(family: str, tmp_path: Path) -> None:
    """But of TensorFlow's variables, whose names have no modules."""
    state, arguments = network(family)
    first, *others = state
    for prefix in ("module.", "_orig_mod."):
        mixed = prefixed({k: state[k] for k in others}, prefix) | {first: state[first]}
        with pytest.raises(
            CompileError, match=f"the prefix '{prefix}' of a wrapper in {prefix}.*{first.split('(')[0]}"
        ):
            load(tmp_path / "net", mixed, arguments)
    with pytest.raises(CompileError, match="twice, with and without the prefix 'module.'"):
        load(tmp_path / "net", state | prefixed(state, "module."), arguments)
    words = first.split(".")
    inner = ".".join([words[0], "_orig_mod", *words[1:]])
    with pytest.raises(CompileError, match="the prefix '_orig_mod.' of a wrapper in "):
        load(
            tmp_path / "net",
            {k: v for k, v in state.items() if k != first} | {inner: state[first]},
            arguments,
        )


@pytest.mark.parametrize("family", RULES)
def test_no_tensor_is_left_unread(family: str, tmp_path: Path) -> None:
    """A tensor more is refused by its name, alone or with others; counters of the training may stay."""
    state, arguments = network(family)
    counters = {"norm.num_batches_tracked": np.array(7), "num_batches_tracked": np.array(1)}
    assert load(tmp_path / "net", state | counters, arguments) == load(tmp_path / "net", state, arguments)
    more = {"own_head.weight": np.ones((2, 2)), "own_head.bias": np.ones(2)}
    with pytest.raises(CompileError, match="does not read the tensor own_head.weight and 1 more;"):
        load(tmp_path / "net", state | more, arguments)
    for name, value in {"own_head.bias": np.ones(2), "step": np.ones(3), "gate.step": np.array(0.5)}.items():
        with pytest.raises(CompileError, match=f"does not read the tensor {name};"):
            load(tmp_path / "net", {**state, name: value}, arguments)


@pytest.mark.parametrize("family", RULES)
def test_every_tensor_that_is_read_counts(family: str, tmp_path: Path) -> None:
    """The other side of the test above: what is read is not dropped later."""
    state, arguments = network(family)
    plain = load(tmp_path / "net", state, arguments)
    for name, value in state.items():
        if not name.endswith("num_batches_tracked") and not UNUSED.search(name):
            assert load(tmp_path / "net", state | {name: value * 1.25 + 0.125}, arguments) != plain, name


def test_reads_are_counted_one_by_one() -> None:
    taken = Taken({"a": np.ones(1), "b": np.ones(1)})
    assert taken["a"] == 1 and "b" in taken and list(taken) == ["a", "b"] and taken.get("c") is None
    for all_at_once in (taken.items, taken.values):
        with pytest.raises(TypeError, match="one by one|by name"):
            all_at_once()
    with pytest.raises(CompileError, match="toy: does not read the tensor b;"):
        taken.check_all_read("toy")
    assert taken.get("b") is not None
    taken.check_all_read("toy")


@pytest.mark.parametrize("kind", [np.int8, np.int64, np.bool_, np.uint8])
@pytest.mark.parametrize("family", RULES)
def test_weights_are_floating_point(family: str, kind: Any, tmp_path: Path) -> None:
    """Codes of quantized weights are not weights."""
    state, arguments = network(family)
    ends = ("bias", "weights.(0, 0)", "output_biases", "fc.layer0.weight")
    name = next(k for k in state if k.endswith(ends))
    with pytest.raises(CompileError, match="expected floating-point weights"):
        load(tmp_path / "net", state | {name: np.ones(state[name].shape, kind)}, arguments)


def test_half_precision_is_read(tmp_path: Path) -> None:
    state, arguments = network("nano")
    half = {k: np.asarray(v).astype(np.float16) for k, v in state.items()}
    full = {k: v.astype(np.float64) for k, v in half.items()}
    assert load(tmp_path / "net", half, arguments) == load(tmp_path / "net", full, arguments)


@pytest.mark.parametrize(
    "prefix", ["ema.", "ema_model.", "model_ema.", "module_ema.module.", "swa_net.", "ema_2."]
)
@pytest.mark.parametrize("beside", ["", "model.", "module.", "net._orig_mod."])
def test_running_averages_in_one_state_are_chosen_by_name(prefix: str, beside: str, tmp_path: Path) -> None:
    state, arguments = network("nano")
    other = {k: v * 1.5 for k, v in state.items()}
    both = prefixed(state, beside) | prefixed(other, prefix)
    names = (beside.split(".")[0] or "without prefix", prefix.split(".")[0])
    with pytest.raises(CompileError, match=f"holds 2 sets of weights: {names[0]}, {names[1]}; say which one"):
        load(tmp_path / "net", both, arguments)
    for name, want in zip(names, (state, other), strict=True):
        assert load(tmp_path / "net", both, arguments, weights=name) == load(
            tmp_path / "net", want, arguments
        )
    with pytest.raises(CompileError, match=f"weights: found 'best'; expected one of {names[0]}, {names[1]}"):
        load(tmp_path / "net", both, arguments, weights="best")


ENTRIES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "timm": ({"state_dict": one(), "state_dict_ema": one()}, ["state_dict", "state_dict_ema"]),
    "two models": ({"model": one(), "ema": {"module": one()}}, ["model", "ema.module"]),
    "lightning": (
        {"state_dict": one("model.w"), "callbacks": {"EMA": {"ema_weights": one()}}},
        ["state_dict", "callbacks.EMA.ema_weights"],
    ),
    "averaged": ({"model_state": one(), "swa": one("module.w")}, ["model_state", "swa"]),
    "shadow": (
        {"net": one(), "ema": {"decay": 0.9, "shadow_params": [tensor()]}},
        ["net", "ema.shadow_params"],
    ),
    "object": (
        {"net": one(), "ema": Call("x.Ema", state={"shadow": one()}, new=True)},
        ["net", "ema.shadow"],
    ),
    "beside the top": ({"a.w": tensor(), "ema_state": one()}, ["top level", "ema_state"]),
    "a module": (
        {"net": one(), "ema": Call("x.Net", state={"_modules": {"a": one()}}, new=True)},
        ["net", "ema"],
    ),
    "optimized": ({"model": one(), "optimized_model": one()}, ["model", "optimized_model"]),
    "best": ({"model": one(), "best_model": one()}, ["model", "best_model"]),
    "inside an entry": ({"state_dict": {"net.w": tensor(), "ema_net.w": tensor()}}, ["net", "ema_net"]),
    "inside one of two": (
        {"model": one(), "state_dict": {"net.w": tensor(), "ema_net.w": tensor()}},
        ["model", "state_dict.net", "state_dict.ema_net"],
    ),
}


@pytest.mark.parametrize("case", ENTRIES)
def test_running_averages_beside_the_state_are_named(case: str, tmp_path: Path) -> None:
    value, names = ENTRIES[case]
    path = write(tmp_path / "net.pt", value)
    with pytest.raises(
        CompileError, match="sets of weights: " + ", ".join(names) + "; say which one is the network"
    ):
        read_checkpoint(path)
    for name in names:
        if name.endswith("shadow_params") or (case, name) == ("a module", "ema"):
            with pytest.raises(CompileError, match=f"tensors without names in {name}"):
                read_checkpoint(path, name)
        else:
            (found,) = read_checkpoint(path, name).arrays.values()
            np.testing.assert_array_equal(found, VALUES.reshape(2, 3))


@pytest.mark.parametrize(
    "key", ["model_state", "state_dict", "model_state_dict", "model", "net", "network", "weights"]
)
def test_entries_with_the_state_of_a_model(key: str, tmp_path: Path) -> None:
    """Optimizers hold tensors too, by number; so do averages of the loss. None of them is a network."""
    optimizer = {
        "state": {0: {"exp_avg": tensor(), "step": tensor()}},
        "param_groups": [{"lr": 0.1, "params": [0]}],
    }
    value = {
        key: one("module.w"),
        "optimizer": optimizer,
        "optimizer_states": [optimizer],
        "epoch": 3,
        "loss": 0.5,
    }
    value["hyper_parameters"] = {"nobj": 4}
    single = tensor(size=(), stride=())
    value["callbacks"] = {
        "ModelCheckpoint": {"best_k_models": {"epoch=3.ckpt": single}, "best_model_score": single}
    }
    value["named_optimizer"] = {"state": {"module.w": {"exp_avg": tensor(), "exp_avg_sq": tensor()}}}
    found = read_checkpoint(write(tmp_path / "net.pt", value))
    assert list(found.arrays) == ["w"] and found.arguments == {"nobj": 4}


def test_running_averages_with_settings_among_them_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "net.pt", {"model": one(), "ema": {"w": tensor(), "decay": 0.9}})
    with pytest.raises(CompileError, match="sets of weights: model, ema;"):
        read_checkpoint(path)
    with pytest.raises(CompileError, match="'decay' is a float"):
        read_checkpoint(path, "ema")


def test_arguments_that_disagree_are_refused(tmp_path: Path) -> None:
    value = {"model": one(), "args": {"nobj": 4, "scale": 1.0}, "hyper_parameters": {"nobj": 5}}
    with pytest.raises(CompileError, match="has nobj = 4, and 5 in 'hyper_parameters'"):
        read_checkpoint(write(tmp_path / "net.pt", value))


def test_damaged_pickles_have_one_message(tmp_path: Path, rng: np.random.Generator) -> None:
    """One to three bytes changed in files with several sets of weights: never a traceback."""
    whole = [pickled(value) for value, _ in ENTRIES.values()]
    for k in range(300):
        raw = bytearray(whole[k % len(whole)])
        for _ in range(rng.integers(1, 4)):
            raw[rng.integers(len(raw))] = rng.integers(256)
        with pytest.raises(CompileError) as error:
            read_checkpoint(write(tmp_path / "net.pt", bytes(raw)), "no such set")
        assert "\n" not in str(error.value)


def test_brain_floats_are_read(tmp_path: Path) -> None:
    raw = (VALUES.view(np.uint32) >> 16).astype("<u2").tobytes()
    path = write(tmp_path / "net.pt", {"w": tensor(Storage(kind="BFloat16Storage"))}, raw)
    np.testing.assert_array_equal(read_checkpoint(path).arrays["w"], VALUES.reshape(2, 3))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            Call("torch._utils._rebuild_tensor_v2", Storage(), 0, (2, 3), (3, 1), False, {}, {"neg": True}),
            "the flags",
        ),
        (Call("torch._utils._rebuild_qtensor", Storage(), 0), "has a quantized tensor; save the plain"),
        (Call("torch._utils._rebuild_sparse_tensor", 1), "has a sparse tensor; save the plain"),
        (tensor(Storage(kind="ComplexFloatStorage")), "type torch.ComplexFloatStorage"),
    ],
)
def test_tensors_that_are_no_plain_numbers(value: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(CompileError, match=message):
        read_checkpoint(write(tmp_path / "net.pt", {"w": value}))
