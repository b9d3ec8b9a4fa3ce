"""Settings beside a checkpoint: every one is honoured, refused or said to change nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from states import load, network

from eqhls.errors import CompileError
from eqhls.frontends.checkpoints.arguments import RULES, TRAINING

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
