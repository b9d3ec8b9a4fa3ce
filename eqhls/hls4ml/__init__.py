"""eqhls and hls4ml together: our layers inside hls4ml's models, and our formats as its configuration.

hls4ml is an optional package, imported when a function of this module is first called.
"""

from __future__ import annotations

from eqhls.hls4ml.formats import config_of
from eqhls.kerasbackend import settle_backend
from eqhls.lazy import lazy

_plugin = lazy("eqhls.hls4ml.plugin", "hls4ml", "pip install 'eqhls[hls4ml]'", settle_backend)

__all__ = ["config_of", "register"]


def register() -> tuple[str, ...]:
    """Make the Keras layers of eqhls layers of hls4ml, for its backends Vivado and Vitis; return their names.

    Call it before `hls4ml.converters.convert_from_keras_model`, once or more often. Raises CompileError if
    hls4ml is not installed.
    """
    return _plugin.register()
