"""The settings of a checkpoint: each one is honoured, agrees with the tensors, or is refused.

The published codes keep everything that they were started with in one list: what makes the network, and how
it was trained and logged. The second kind changes no number here. Keys that no code knows are left alone,
unless they look like a setting that is written differently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from eqhls.errors import CompileError
from eqhls.frontends.checkpoints import cormorant_settings

Names = Mapping[str, Any]
Found = Callable[[Names, Any], Any]
"""What a setting should be, by the tensors, and the value that it has."""
LIKE = 0.85
"""How similar (difflib) an unknown key is to a known one that it is taken to be a typo of."""


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COMMON = words("family nobj name python n_nodes key_orders weights dataset")
"""Keys that are read for some family and harmless beside all others."""
TRAINING = words("""
    RAMdataset alpha batch_group_size batch_size beams bestfile c_decay checkfile checkpoint
    cooldown cuda cutoff_decay cutoff_type datadir device diagnostics distribute_eval drop_rate
    drop_rate_out dropout dtype epoch epochs exp_name fix_data force_download full_scalars
    gaussian_mask hard_cut_rad host input level_gain load loadfile local_rank log_every log_interval
    log_level logdir logfile lr lr_decay lr_decay_type lr_final lr_init lr_minibatch maxdim
    mlp_depth mlp_width modeldir net num_basis_fn num_channels num_channels_2to2 num_channels_m
    num_channels_m_out num_channels_out num_channels_scalar num_classes num_epoch num_mpnn_levels
    num_parameters num_targets num_test num_train num_valid num_workers optim optuna_test parallel
    password port predict predictdir predictfile prefix pruner quiet rank1_width_multiplier
    reproducible sampler save save_every seed sgd_restart shuffle soft_cut_rad soft_cut_width
    storage study_name summarize summarize_csv target task test test_mode testfile textlog
    val_interval verbose warmup warmup_epochs weight_decay weight_init workdir yaml
""")
"""What the published codes are started with beside the network: files, the optimizer, the run; sizes that the
tensors say; and options that their networks never read, as the cutoffs of the LGN."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings of one family: those it reads, those with one allowed value, those the tensors decide."""

    family: str
    read: frozenset[str]
    fixed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    decided: Mapping[str, Found] = field(default_factory=dict[str, Found])

    @property
    def known(self) -> frozenset[str]:
        return self.read | set(self.fixed) | set(self.decided)


def check(rules: Rules, others: frozenset[str], arguments: Mapping[str, Any], tensors: Names) -> None:
    """Raise CompileError for settings of another network than the one that is read.

    `others` are the settings of other families. None says nothing, as in a configuration.
    """
    for key, value in arguments.items():
        if value is None:
            continue
        where = f"{rules.family}: {key}"
        if key in rules.fixed and value != rules.fixed[key]:
            only = f"this network is read with {rules.fixed[key]!r} only"
            raise CompileError(where, f"found {value!r}", only)
        if key in rules.decided and value != (found := rules.decided[key](tensors, value)):
            both = f"found {value!r}, but the tensors have {found!r}"
            raise CompileError(where, both, "correct the setting")
        if key in rules.known | COMMON | TRAINING:
            continue
        if key in others:
            raise CompileError(where, f"found {value!r}, a setting of another family", "remove it")
        like = get_close_matches(str(key).lower().replace("-", "_"), sorted(rules.known), 1, LIKE)
        if like:
            raise CompileError(where, "is not a setting", f"write {like[0]}, or remove it")


def count(tensors: Names, head: str) -> int:
    """Return how many different words follow `head` in the names of tensors: layers, levels."""
    return len({n[len(head) :].split(".")[0] for n in tensors if n.startswith(head)})


def has(start: str) -> Found:
    """Return whether there is a tensor of which the name starts so."""
    return lambda tensors, _: any(n.startswith(start) for n in tensors)


def norm(tensors: Names, value: Any) -> Any:
    """Return the kind of norm: of those that are read, only batch normalisation has tensors."""
    there = any(".normlayer." in n for n in tensors)
    return value if there == str(value).startswith(("b", "i", "l")) else "b" if there else "None"


PAIRS = words("""
    nobj nobj_avg scale activation batchnorm masked irc_safe config config_out activate_agg
    activate_lin activate_agg_out activate_lin_out massless
""")
OLDER = {"ir_safe": False, "layernorm": False, "sig": False, "folklore": False}
RULES: dict[str, Rules] = {
    "pelican": Rules(
        "pelican",
        PAIRS | {"stabilizer", "method", "read_pid", "dataset"},
        OLDER | {"activate_agg_in": False, "activate_lin_in": True},
        {"mlp_out": has("mlp_out."), "factorize": has("net2to2.eq_layers.0.coefs00"), "batchnorm": norm},
    ),
    "nano": Rules(
        "pelican-nano",
        PAIRS | {"add_beams", "beam_mass"},
        OLDER,
        {
            "n_hidden": lambda t, _: t["net2to2.eq_layers.0.bias"].shape[0],
            "factorize": has("net2to2.eq_layers.0.coefs00"),
            "batchnorm": norm,
        },
    ),
    "lgn": Rules(
        "LGN",
        words(
            "nobj constituents scale add_beams beam_mass activation set_order mask_mode key_orders python"
            " name prefix top max_zf"
        ),
        {},
        {
            "pmu_in": has("input_func_atom.weights.(1, 1)"),
            "num_cg_levels": lambda t, _: count(t, "lgn_cg.atom_levels."),
            "mlp": has("lgn_cg.mlp_levels."),
        },
    ),
    "cormorant": Rules(
        cormorant_settings.WHERE,
        words(cormorant_settings.READ),
        cormorant_settings.LAYOUT,
        cormorant_settings.DECIDED,
    ),
    "lorentznet": Rules(
        "LorentzNet",
        words("nobj n_nodes c_weight vectors masses beams_p4"),
        {},
        {
            "n_hidden": lambda t, _: t["embedding.weight"].shape[0],
            "n_layers": lambda t, _: count(t, "LGEBs."),
        },
    ),
    "tfn": Rules(
        "TFN",
        words("""
            n_points scalars_in layer_dims rbf_count rbf_low rbf_high rbf_gamma hidden_dim
            radial_nonlin feature_nonlin epsilon pool classes
        """),
    ),
    "e3nn": Rules(
        "e3nn",
        words("""
            n_points irreps_in sh scalars gated irreps_out basis hidden radius neighbours pool
            normalize2mom gate_irreps_in gate_irreps_out conv1_paths conv2_paths
        """),
    ),
}


def check_settings(family: str, arguments: Mapping[str, Any], tensors: Names) -> None:
    """Raise CompileError for a setting that the network of a family does not follow."""
    rules = RULES[family]
    others = frozenset[str]().union(*(r.read for r in RULES.values())) - rules.known
    check(rules, others, arguments, tensors)
