"""A checkpoint is read whole or refused: wrappers, running averages, tensors and settings that nobody reads."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import cormorant_numpy
import e3nn_numpy
import lgn_numpy
import lorentznet_numpy
import numpy as np
import pytest
import tfn_numpy
from pelican_reference import Network, nano_state, pelican_state
from torchfiles import VALUES, Call, Storage, pickled, tensor, write

from eqhls.errors import CompileError
from eqhls.frontends.checkpoints.archive import read_checkpoint
from eqhls.frontends.checkpoints.arguments import RULES, TRAINING
from eqhls.frontends.checkpoints.load import load_checkpoint
from eqhls.frontends.checkpoints.states import Taken
from eqhls.ir.graph import Graph

State = dict[str, Any]
UNUSED = re.compile(
    "nonlinearity/L0|layer1/.*(F1_to_1|L1/tensor_0/F0_to_L|self_interaction/L1|nonlinearity/L1)"
)
"""Variables of a tensor field network that its code makes and no output sees: biases of scalars, and vectors of
the last layer."""
NANO = Network(nobj=2, config="S", config_out="M", activation="relu", activate_agg_out=False)

CORMORANT: dict[str, Any] = {
    "model": "CormorantQM9", "n_atoms": 2, "num_species": 2, "charge_power": 1, "charge_scale": 4.0,
    "cutoff_type": ["soft", "hard"], "hard_cut_rad": 2.5, "soft_cut_rad": 1.7, "soft_cut_width": 0.3,
    "maxl": 1, "max_sh": 1, "num_cg_levels": 1, "num_channels": [1, 1], "basis_set": [0, 1],
    "basis_set_input_mpnn": [0, 1], "layer_width": 2,
}  # fmt: skip


@cache
def network(family: str) -> tuple[State, dict[str, Any]]:
    """A small random network of a family: its tensors and its arguments."""
    rng = np.random.default_rng(4)
    match family:
        case "pelican":
            net = Network(nobj=2, blocks=1)
            return pelican_state(net, rng), net.arguments
        case "nano":
            return nano_state(NANO, rng), NANO.nano_arguments | {"add_beams": True}
        case "lgn":
            shape = lgn_numpy.Shape(2, (1, 2))
            return lgn_numpy.random_state(rng, shape), shape.arguments(2)
        case "cormorant":
            return cormorant_numpy.random_state(rng, CORMORANT), CORMORANT
        case "tfn":
            settings = tfn_numpy.config(2, 1, [2, 1, 1], 3, 3.0, 2)
            return tfn_numpy.weights(rng, settings), settings
        case "e3nn":
            settings = e3nn_numpy.config(2, "1x0e", "1x0e+1x1o", "1x0e", "1x1o", "1x0e")
            return e3nn_numpy.weights(rng, settings), settings
        case _:
            return lorentznet_numpy.checkpoint(rng, 2, 2), {"nobj": 2, "n_nodes": 4, "c_weight": 0.1}


def load(folder: Path, state: State, arguments: dict[str, Any], **settings: Any) -> Graph:
    folder.mkdir(exist_ok=True)
    np.savez(folder / "state_dict.npz", **state)
    (folder / "config.json").write_text(json.dumps({"args": arguments, **settings}))
    return load_checkpoint(folder)


def prefixed(state: State, prefix: str) -> State:
    return {prefix + k: v for k, v in state.items()}


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


def one(name: str = "w") -> dict[str, Any]:
    return {name: tensor()}


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


WRONG: dict[str, tuple[str, dict[str, Any], str]] = {
    "another spelling": ("pelican", {"nobj-avg": 7}, "pelican: nobj-avg: is not a setting; write nobj_avg"),
    "a slip": ("nano", {"activaton": "elu"}, "pelican-nano: activaton: is not a setting; write activation"),
    "capitals": ("lgn", {"Scale": 0.1}, "LGN: Scale: is not a setting; write scale"),
    "another family": (
        "pelican",
        {"add_beams": False},
        "add_beams: found False, a setting of another family",
    ),
    "vectors of nano": (
        "nano",
        {"stabilizer": "so3"},
        "stabilizer: found 'so3', a setting of another family",
    ),
    "masses of pelican": (
        "pelican",
        {"masses": "massless"},
        "masses: found 'massless', a setting of another",
    ),
    "no scale": ("lorentznet", {"scale": 0.5}, "scale: found 0.5, a setting of another family"),
    "an older code": (
        "pelican",
        {"ir_safe": True},
        "ir_safe: found True; this network is read with False only",
    ),
    "norms that are not there": (
        "pelican",
        {"batchnorm": "None"},
        "batchnorm: found 'None', but the tensors have 'b'",
    ),
    "no head": ("pelican", {"mlp_out": False}, "mlp_out: found False, but the tensors have True"),
    "factors": ("nano", {"factorize": True}, "factorize: found True, but the tensors have False"),
    "width": ("nano", {"n_hidden": 17}, "n_hidden: found 17, but the tensors have"),
    "layers": ("lorentznet", {"n_layers": 6}, "n_layers: found 6, but the tensors have 2"),
    "hidden": ("lorentznet", {"n_hidden": 72}, "n_hidden: found 72, but the tensors have 2"),
    "levels": ("lgn", {"num_cg_levels": 4}, "num_cg_levels: found 4, but the tensors have 1"),
    "momenta": ("lgn", {"pmu_in": False}, "pmu_in: found False, but the tensors have True"),
    "perceptrons": ("lgn", {"mlp": False}, "mlp: found False, but the tensors have True"),
}


@pytest.mark.parametrize("case", WRONG)
def test_settings_of_another_network_are_refused(case: str, tmp_path: Path) -> None:
    family, more, message = WRONG[case]
    state, arguments = network(family)
    with pytest.raises(CompileError, match=message):
        load(tmp_path / "net", state, arguments | more)


@pytest.mark.parametrize("family", RULES)
def test_settings_of_the_training_change_nothing(family: str, tmp_path: Path) -> None:
    state, arguments = network(family)
    harmless = dict.fromkeys(TRAINING - RULES[family].known, 1) | {"my_own_key": 3, "sweep": "b"}
    assert load(tmp_path / "net", state, arguments | harmless) == load(tmp_path / "net", state, arguments)


@pytest.mark.parametrize("family", RULES)
def test_every_setting_is_said_to_be_read(family: str) -> None:
    """The arguments of the networks of these tests are all among the settings of their family."""
    assert set(network(family)[1]) - {"family"} <= RULES[family].known


OTHER: dict[str, dict[str, Any]] = {
    "pelican": {
        "nobj": 3, "nobj_avg": 9, "scale": 0.5, "activation": "elu", "batchnorm": "i", "masked": False,
        "irc_safe": True, "config": "m", "config_out": "m", "activate_agg": True, "activate_lin": False,
        "activate_agg_out": False, "activate_lin_out": True, "massless": True, "stabilizer": "so2_0",
        "method": "input", "read_pid": True, "dataset": "jc",
    },
    "nano": {
        "nobj": 3, "nobj_avg": 9, "scale": 0.5, "activation": "elu", "batchnorm": "i", "masked": False,
        "irc_safe": True, "config": "m", "config_out": "m", "activate_agg": True, "activate_lin": False,
        "activate_agg_out": True, "activate_lin_out": True, "massless": True, "add_beams": False, "beam_mass": 2.0,
    },
    "lgn": {
        "nobj": 3, "constituents": 1, "scale": 0.5, "add_beams": False, "beam_mass": 2.0, "activation": "elu",
        "set_order": "py37", "mask_mode": "strict", "top": "pmlp", "max_zf": [2],
        "key_orders": {"level0_keys": ["(0, 0)", "(1, 1)"]}, "name": "other", "prefix": "other",
    },
    "lorentznet": {
        "nobj": 3, "n_nodes": 9, "c_weight": 0.7, "vectors": "gram", "masses": "massless",
        "beams_p4": [[2.0, 0, 0, 1], [2.0, 0, 0, -1]],
    },
    "cormorant": {
        "n_atoms": 3, "num_species": 1, "charge_power": 2, "charge_scale": 3.0, "activation": "elu",
        "cutoff_type": ["learn"], "hard_cut_rad": 1.5, "soft_cut_rad": 1.5, "soft_cut_width": 0.5,
    },
    "tfn": {
        "n_points": 3, "scalars_in": 2, "layer_dims": [2, 1, 1, 1], "rbf_count": 4, "rbf_low": 0.5, "rbf_high": 5.0,
        "rbf_gamma": 0.5, "hidden_dim": 4, "radial_nonlin": "elu", "feature_nonlin": "relu", "epsilon": 1e-6,
        "pool": "sum", "classes": 1,
    },
    "e3nn": {
        "n_points": 3, "irreps_in": "1x1o", "sh": "1x0e", "scalars": "2x0e", "gated": "2x1o", "irreps_out": "1x1o",
        "basis": 4, "hidden": 6, "radius": 2.0, "neighbours": 3.0, "pool": "mean", "normalize2mom": {},
        "gate_irreps_in": "1x0e", "gate_irreps_out": "1x0e", "conv1_paths": [], "conv2_paths": [],
    },
}  # fmt: skip


@pytest.mark.parametrize(("family", "key"), [(f, k) for f, more in OTHER.items() for k in more])
def test_every_setting_is_honoured_or_refused(family: str, key: str, tmp_path: Path) -> None:
    state, arguments = network(family)
    plain = load(tmp_path / "net", state, arguments)
    try:
        changed = load(tmp_path / "net", state, arguments | {key: OTHER[family][key]})
    except CompileError:
        return
    assert changed != plain


def test_every_setting_is_tried() -> None:
    """The version of Python stands for an order of irreps; it is tried by the tests of the LGN."""
    assert {f: set(more) for f, more in OTHER.items()} == {
        f: set(r.read) - {"python"} for f, r in RULES.items()
    }
