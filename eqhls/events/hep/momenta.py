"""Arrays of the library awkward, and of vector, as the arrays that fill the ports of a network."""

from __future__ import annotations

from typing import Any

import numpy as np

from eqhls.errors import CompileError
from eqhls.events.hep.columns import REMEDY, Lists, column_of
from eqhls.events.hep.kinematics import coordinates, four_vectors
from eqhls.events.hep.particles import Particles, jets_of
from eqhls.ir.op import Floats
from eqhls.lazy import lazy

ak = lazy("awkward", "awkward arrays", REMEDY)
RECORDS = "records with pt, eta, phi and mass (or E), or px, py, pz and E (or mass)"


def is_momenta(array: Any) -> bool:
    """Whether an array is one of records, of awkward or of vector, that `momenta_of` may take."""
    named = getattr(array, "fields", None) or getattr(getattr(array, "dtype", None), "names", None)
    return bool(named)


def momenta_of(array: Any, constituents: int | None) -> dict[str, Floats]:
    """Return what a network reads of particles in memory: `p4` (B, N, 4) in GeV, by falling pT and padded
    with zeros; `jet` (B, 4), the sum of all particles of the event; and `n` (B,), how many these are.

    `array` (B, any number) holds records of awkward, with or without the behaviour of vector, or is an array
    of vector or a structured one of NumPy, (B, M): pt, eta, phi and mass or E, or px, py, pz and E or mass.
    `constituents` is N, or None for the size of the largest event. Raises CompileError for other fields,
    missing values, deeper lists, NaN and infinity.
    """
    found = particles_of(_records(array))
    if not len(found.counts):
        raise CompileError("p4", "holds no events", "give one or more")
    jets = jets_of(found, constituents)
    return {"p4": jets.p4, "jet": jets.jet, "n": jets.n.astype(np.float64)}


def particles_of(records: Any, where: str = "p4") -> Particles:
    """Return the particles of an awkward array of lists of records. Raises CompileError as `momenta_of`."""
    fields = ak.fields(records)
    parts = coordinates(fields)
    if not parts:
        said = f"records of {', '.join(fields)}" if fields else f"the type {records.type}"
        raise CompileError(where, f"holds {said}", f"give {RECORDS}")
    if records.ndim != 2:
        shape = "one particle per event" if records.ndim < 2 else f"lists of {records.ndim} levels"
        raise CompileError(where, f"holds {shape}", "give a list of particles per event")
    columns = {k: column_of(f"{where}.{name}", records[name]) for k, name in parts.items()}
    lists = [v for v in columns.values() if isinstance(v, Lists)]
    return Particles(
        four_vectors({k: v.values for k, v in zip(columns, lists, strict=True)}), lists[0].counts
    )


def _records(array: Any) -> Any:
    """Return an awkward array of records, whatever library the array is of."""
    if hasattr(array, "fields"):
        return array
    plain = np.asarray(array)
    if plain.dtype.names is None:
        raise CompileError("p4", f"holds {plain.dtype}", f"give {RECORDS}")
    if plain.ndim != 2:
        raise CompileError(
            "p4", f"has shape {plain.shape}, expected (events, particles)", "give a row per event"
        )
    columns = {name: ak.from_numpy(np.ascontiguousarray(plain[name])) for name in plain.dtype.names}
    return ak.zip(columns)
