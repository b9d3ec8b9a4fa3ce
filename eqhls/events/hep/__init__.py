"""Events as physicists have them: ROOT, Parquet, HDF5, and arrays of awkward and vector."""

from __future__ import annotations

from eqhls.events.hep.momenta import is_momenta, momenta_of

__all__ = ["is_momenta", "momenta_of"]
