"""Print what formats cost the networks of checkpoints: python docs/checkpoint_cost.py FOLDER EVENTS [CONFIG].

AUC of the float network and of the integers, with the formats that `eqhls compile --calibrate` derives,
calibrated on every other event and measured on the rest; and the work of one event.
"""

from __future__ import annotations

import sys
from pathlib import Path

from eqhls.events.read import halves, read_events
from eqhls.events.scores import from_raw, predict_floats
from eqhls.flow import read_model
from eqhls.options import Options
from eqhls.passes import run as run_passes
from eqhls.passes.cost import gates
from eqhls.quantize.assign import assign
from eqhls.verify.metrics import tagger_auc


def report(checkpoint: Path, file: Path, config: Path | None) -> str:
    graph = read_model(checkpoint, config)
    quantized = run_passes(assign(graph, halves(read_events(file, graph))[0].floats, Options()))
    events = halves(read_events(file, quantized))[1]
    exact = from_raw(quantized, quantized.evaluate(events.raw)).scores
    found = [tagger_auc(s, events.labels) for s in (predict_floats(graph, events).scores, exact)]
    return f"{checkpoint.name}: AUC float {found[0]:.4f}, integers {found[1]:.4f}; {gates(quantized):,} cells"


if __name__ == "__main__":
    print(report(*(Path(a) for a in sys.argv[1:3]), Path(sys.argv[3]) if sys.argv[3:] else None))
