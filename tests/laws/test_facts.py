"""What an op says of itself, checked against what it does. Nothing has a default: an op that leaves a fact
out does not build, or fails here by name."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from counting import COMPUTED, EVENTS, OCTAVES, addressed, counted, raw_inputs, reading, reals
from designs import together

from eqhls import ops
from eqhls.backends.hls.config import Context, config
from eqhls.backends.hls.emit import places
from eqhls.backends.onnx.functions import lower
from eqhls.engines import hull, load, store
from eqhls.errors import CompileError
from eqhls.fixed import Fixed, NumArray, Overflow, Rounding
from eqhls.groups.rep import S
from eqhls.ir.op import Example, Floats, Logarithm, Op, Reading, Tensor
from eqhls.ir.work import Work
from eqhls.lower.layout import Layout
from eqhls.ops.dense import Dense
from eqhls.ops.gram import Gram
from eqhls.ops.log2 import Log2
from eqhls.ops.log_add import LogAdd
from eqhls.ops.mask import Mask
from eqhls.ops.pair_op import PairOp
from eqhls.ops.relu import Relu
from eqhls.ops.rename import Rename
from eqhls.ops.requantize import Requantize
from eqhls.ops.table import Table
from eqhls.quantize.weights import rounded_weights

STATED = (
    "weights",
    "constant",
    "reads",
    "has_format",
    "variadic",
    "moves_bits",
    "charges",
    "work",
    "gain",
    "rounds_to",
    "rectifies",
    "logarithm",
    "faults",
)
"""What stands in the class of every op, or in what it shares with its like."""


@pytest.mark.parametrize("op", ops.ALL, ids=lambda op: op.name())
@pytest.mark.parametrize("fact", STATED)
def test_every_op_says(op: type[Op], fact: str) -> None:
    own = [c for c in op.__mro__ if issubclass(c, Op) and c is not Op]
    assert any(fact in vars(c) for c in own), f"{op.__module__} does not say {fact}"


@pytest.mark.parametrize("example", ops.examples(), ids=str)
def test_what_is_no_weight_is_a_function_that_rounds_or_a_constant(example: Example) -> None:
    """Weights are rounded, and nothing else is."""
    op = example.op
    tensors = {f.name for f in fields(op) if isinstance(getattr(op, f.name), Tensor)}
    assert set(op.weights) <= {f.name for f in fields(op)}
    changed = rounded_weights(op, "fix<2,30>")
    moved = {n for n in tensors if getattr(changed, n) != getattr(op, n)}
    nonzero = {n for n in tensors if getattr(op, n).array.any()}
    assert moved == nonzero & set(op.weights)
    assert tensors <= {*op.weights, op.constant} or op.rounds_to()


@pytest.mark.parametrize("example", COMPUTED, ids=str)
def test_work_is_what_the_body_asks_for(example: Example, rng: np.random.Generator) -> None:
    """Products to the one; tables and products with constants at all: a body may cut a table into parts, and
    collapses equal rows of a map before it multiplies."""
    op, types = example.op, example.types
    found, said = counted(op, types, raw_inputs(example, rng)), op.work(types)
    assert found.products == said.products
    assert (found.lookups > 0) == (said.lookups > 0)
    assert said.constants == 0 or found.constants > 0


@pytest.mark.parametrize("example", [e for e in COMPUTED if e.types], ids=str)
def test_factors_come_out_as_said(example: Example, rng: np.random.Generator) -> None:
    """An op that says nothing of a common factor has none, if it is exact: an LSB does not grow with the value."""
    values = reals(example, rng)
    plain = example.op.reference(example.types, *values)
    rest = len(values) - 1
    for factors in ((2.0, *(2.0,) * rest), (3.0, *(1.0,) * rest), tuple(2.0 + k for k in range(1 + rest))):
        gain = example.op.gain(example.types, factors)
        scaled = example.op.reference(example.types, *(k * v for k, v in zip(factors, values, strict=True)))
        close = 1e-9 * np.abs(plain).max()
        if gain is not None:
            np.testing.assert_allclose(scaled, gain * plain, rtol=1e-9, atol=close)
        elif factors[0] == factors[-1] and not (example.op.rounds_to() or isinstance(example.op, Mask)):
            assert not any(np.allclose(scaled, k * plain, rtol=1e-9, atol=close) for k in (1, 2, 4, 8))


@pytest.mark.parametrize("example", COMPUTED, ids=str)
def test_results_have_the_formats_that_were_said(example: Example, rng: np.random.Generator) -> None:
    op, types = example.op, example.types
    nums = [load(t.formats, r) for t, r in zip(types, raw_inputs(example, rng), strict=True)]
    body, formats = op.body(types, *nums), op.rounds_to()
    if not formats:
        kept = op.kept() if isinstance(op, PairOp) else op.frac if isinstance(op, LogAdd) else None
        assert not np.any(op.rounding(types)) or kept is not None
        return
    type = op.infer(*types)
    assert len(formats) in (1, type.dim)
    found = store(body, hull(body), EVENTS) * np.array([f.lsb for f in hull(body)])
    for c in range(type.dim):
        form = formats[c if len(formats) > 1 else 0]
        steps = found[..., c] / form.lsb
        assert (steps == np.rint(steps)).all() and (steps >= form.lo).all() and (steps <= form.hi).all()


@pytest.mark.parametrize("example", COMPUTED, ids=str)
def test_what_only_moves_bits_makes_no_number(example: Example, rng: np.random.Generator) -> None:
    values = reals(example, rng)
    got = example.op.reference(example.types, *values)
    known = {0.0}.union(*(set(v.ravel().tolist()) for v in values))
    if example.op.moves_bits:
        assert set(got.ravel().tolist()) <= known
        assert example.op.work(example.types) == Work() and not example.op.rounds_to()


@pytest.mark.parametrize("example", COMPUTED, ids=str)
def test_what_has_covariant_components_can_be_broken(example: Example, rng: np.random.Generator) -> None:
    """And every fault changes a number."""
    op, types = example.op, example.types
    faults = op.faults(types)
    covariant = any(t.rep is not S for t in (*types, op.infer(*types)))
    assert bool(faults) == covariant
    nums = [load(t.formats, r) for t, r in zip(types, raw_inputs(example, rng), strict=True)]
    right = _values(op.body(types, *nums))
    for fault in faults:
        assert not np.array_equal(right, _values(op.faulty(fault, 2, types, *nums))), fault


def _values(body: NumArray) -> Floats:
    return store(body, hull(body), EVENTS) * np.array([f.lsb for f in hull(body)])


@pytest.mark.parametrize("op", ops.ALL, ids=lambda op: op.name())
def test_inputs_are_read_as_said(op: type[Op], rng: np.random.Generator) -> None:
    found = reading(op, rng)
    inner = found is Reading.VALUE and assigns(op, rng)
    assert (op.reads is Reading.INNER) == inner
    assert found is op.reads or inner or (op.reads is Reading.CURVE and found is Reading.ADDRESS)


def assigns(op: type[Op], rng: np.random.Generator) -> bool:
    """Whether an op rounds its inputs before all else: a change far below any format hardly ever counts."""
    for example in (e for e in op.examples() if e.types):
        x = reals(example, rng)
        moved = [v + 1e-7 for v in x]
        plain, other = (example.op.reference(example.types, *v) for v in (x, moved))
        if np.mean(plain == other) < 0.9:
            return False
    return bool(op.examples()[0].types)


@pytest.mark.parametrize("example", [e for e in COMPUTED if e.op.reads is Reading.ADDRESS], ids=str)
def test_an_address_has_an_entry_for_each_number(example: Example, rng: np.random.Generator) -> None:
    assert addressed(example, rng)


NARROW = Fixed(5, 3, True, Rounding.RND, Overflow.SAT)


def holds_format(op: Op, said: bool) -> bool:
    """Whether a field holds the format of the result that others may choose, or none does, as is said."""
    try:
        found = op.with_formats((NARROW,)).rounds_to()
    except CompileError:
        return not said and all(is_function(op, f.name) for f in fields(op) if "Fixed" in str(f.type))
    return said and {(f.width, f.integer, f.signed) for f in found} == {(5, 3, True)}


def is_function(op: Op, name: str) -> bool:
    """Whether the range of a format is a part of the function already in floats: then it is nobody's choice."""
    example = next(e for e in op.examples() if e.op == op)
    form: Fixed = getattr(op, name)
    less = replace(op, **{name: Fixed(form.width - 1, form.integer - 1, form.signed)})
    x = [
        np.linspace(t.formats.lo, t.formats.hi, 101)[:, None] * np.ones((1, t.elements))
        for t in example.types
    ]
    args = [np.round(v).reshape(-1, *t.shape) * t.formats.lsb for v, t in zip(x, example.types, strict=True)]
    whole, part = (o.reference(example.types, *args) for o in (op, less))
    return bool((whole != part).any() and np.abs(part).max() <= np.abs(whole).max())


@pytest.mark.parametrize("example", ops.examples(), ids=str)
def test_formats_are_those_of_the_op_or_of_its_inputs(example: Example, rng: np.random.Generator) -> None:
    op = example.op
    assert holds_format(op, op.has_format) and not holds_format(op, not op.has_format)
    if op.has_format and example.types:
        narrowed = replace(example, op=op.with_formats((NARROW,)))
        test_results_have_the_formats_that_were_said(narrowed, rng)


def is_constant(example: Example, said: str) -> bool:
    """Whether a field holds all that the op returns, or there is more to it, as is said."""
    if not said:
        return bool(example.types) or example.op.source
    values = getattr(example.op, said, None)
    if not isinstance(values, Tensor) or example.types or example.op.source:
        return False
    return np.array_equal(example.op.reference(()), [values.array])


@pytest.mark.parametrize("example", ops.examples(), ids=str)
def test_constants_are_their_values(example: Example) -> None:
    op = example.op
    assert is_constant(example, op.constant) and not is_constant(example, "" if op.constant else "weight")
    if op.constant:
        assert np.array_equal(op.reference(())[0], op.constant_values())
    else:
        with pytest.raises(CompileError, match="is not a constant"):
            op.constant_values()


def takes_any(example: Example) -> bool:
    """Whether an op takes its inputs three times over."""
    try:
        example.op.infer(*example.types * 3)
    except CompileError:
        return False
    return True


@pytest.mark.parametrize("example", [e for e in COMPUTED if e.types], ids=str)
def test_any_number_of_inputs_is_taken_as_said(example: Example) -> None:
    assert takes_any(example) == example.op.variadic


@pytest.mark.parametrize("example", [e for e in COMPUTED if e.types], ids=str)
def test_rectifiers_rectify(example: Example, rng: np.random.Generator) -> None:
    op, x = example.op, [rng.uniform(-2.0, 2.0, (EVENTS, *t.shape)) for t in example.types]
    assert np.array_equal(op.reference(example.types, *x), np.maximum(x[0], 0.0)) == op.rectifies(
        example.types
    )


def decodes(example: Example, wish: Logarithm, floor: float, told: float) -> bool:
    """Whether an op that was told one floor returns of codes with another what it returns of numbers."""
    type = example.types[0]
    x = np.multiply.outer(np.concatenate([-(2.0 ** OCTAVES[20:]), 2.0 ** OCTAVES[20:]]), np.ones(type.shape))
    code = Log2(floor, odd=wish.odd, magnitude=not wish.odd).ideal(example.types, x)
    plain, coded = (
        example.op.reference(example.types, x),
        example.op.coded(told).reference(example.types, code),
    )
    return np.allclose(plain, coded, rtol=1e-9, atol=1e-9)


LOGARITHMIC = [e for e in COMPUTED if e.op.logarithm() is not None and e.op.reads is not Reading.CURVE]
CURVES = [e for e in COMPUTED if e.op.reads is Reading.CURVE and e.op.logarithm() is not None]


@pytest.mark.parametrize("example", LOGARITHMIC, ids=str)
def test_codes_of_logarithms_are_decoded(example: Example) -> None:
    wish, op = example.op.logarithm(), example.op
    assert wish is not None
    assert decodes(example, wish, 2.0**-20, 2.0**-20) and not decodes(example, wish, 2.0**-20, 2.0**-19)
    every = op.everywhere(np.array([0.0, *2.0**OCTAVES, *-(2.0**OCTAVES)]))
    zero, below, above = np.moveaxis(op.everywhere(np.array([0.0, 2**-12, 2**6]) / wish.steepest), -1, 0)
    spread = np.ptp(every)
    assert np.abs(below - zero).max() < 2**-8 * spread < np.abs(above - zero).max()
    assert op.coded(0.5).logarithm() is None


@pytest.mark.parametrize("example", CURVES, ids=str)
def test_a_curve_may_be_read_from_codes(example: Example) -> None:
    """Of any floor: which one serves it, its bends say."""
    wish = example.op.logarithm()
    assert wish is not None
    assert decodes(example, wish, 2.0**-20, 2.0**-20) and not decodes(example, wish, 2.0**-20, 2.0**-4)
    assert example.op.coded(0.5).logarithm() is None


@pytest.mark.parametrize("example", COMPUTED, ids=str)
def test_functions_are_known_everywhere(example: Example) -> None:
    """All rows, at any argument: what a format has to hold."""
    op, x = example.op, np.linspace(-3.0, 3.0, 25)
    if not (op.has_format and op.reads in (Reading.ADDRESS, Reading.LOGARITHM, Reading.CURVE)):
        with pytest.raises(CompileError, match="has no table"):
            op.everywhere(x)
        return
    every = np.multiply.outer(x, np.ones(example.types[0].shape))
    assert np.array_equal(np.unique(op.everywhere(x)), np.unique(op.reference(example.types, every)))


@pytest.mark.parametrize("op", ops.ALL, ids=lambda op: op.name())
def test_every_op_has_all_its_files(op: type[Op]) -> None:
    """A header, a rule for its config and a rule for its ONNX function."""
    assert header(op).is_file(), f"eqhls/data/hls_templates/eqhls/{op.name()}.h is missing"
    none = config.dispatch(object), lower.dispatch(object)
    assert config.dispatch(op) is not none[0], f"eqhls/backends/hls/config.py has no rule for {op.name()}"
    if not op.source:
        assert lower.dispatch(op) is not none[1], f"eqhls/backends/onnx/functions.py lacks {op.name()}"


@pytest.mark.parametrize("op", ops.ALL, ids=lambda op: op.name())
def test_headers_document_their_config(op: type[Op]) -> None:
    """What a header says of CFG is there, and what it uses it says."""
    graph = together("all", op.examples())
    at = places(Layout.of(graph.inputs))
    mine = [n for n in graph if type(n.op) is op]
    contexts = [Context(n, graph.types_into(n), at.get(n.name, {})) for n in mine]
    given = {name for c in contexts for name in config(c.node.op, c)}
    lines = header(op).read_text().splitlines()
    said = "\n".join(line for line in lines if line.startswith("//"))
    used = set(re.findall(r"CFG::(\w+)", "\n".join(line for line in lines if not line.startswith("//"))))
    assert set(re.findall(r"CFG::(\w+)", said)) <= given
    assert used <= given and used <= set(re.findall(r"\w+", said))


def header(op: type[Op]) -> Path:
    return (
        Path(__file__).resolve().parents[2] / "eqhls" / "data" / "hls_templates" / "eqhls" / f"{op.name()}.h"
    )


def test_the_laws_can_fail(rng: np.random.Generator) -> None:
    """An op that says another's facts is found out."""
    gram, shifted = (next(e for e in COMPUTED if isinstance(e.op, kind)) for kind in (Gram, Dense))
    assert counted(gram.op, gram.types, raw_inputs(gram, rng)) != Rename("i", "j").work(gram.types[:1])
    values = reals(shifted, rng)
    plain, twice = (shifted.op.reference(shifted.types, *(k * v for v in values)) for k in (1, 2))
    assert isinstance(shifted.op, Dense) and shifted.op.bias is not None and not np.allclose(twice, 2 * plain)
    samples = {kind: next(e for e in COMPUTED if isinstance(e.op, kind)) for kind in (Mask, Relu, Table)}
    assert not takes_any(samples[Mask]) and takes_any(next(e for e in COMPUTED if e.op.variadic))
    assert {reading(kind, rng) for kind in (Relu, Table, Log2, Requantize)} == {*Reading} - {
        Reading.NOTHING,
        Reading.CURVE,
        Reading.INNER,
    }
