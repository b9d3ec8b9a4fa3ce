"""Keras gets a backend that is installed, and whoever has none is told what to install."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from eqhls import kerasbackend
from eqhls.errors import CompileError
from eqhls.kerasbackend import VARIABLE, settle_backend

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "lgn_top_small" / "model.keras"


def reading(missing: tuple[str, ...], home: Path, **variables: str) -> str:
    """Read a Keras file in a process without some packages, and return the backend or the error."""
    program = (
        f"import sys\nsys.modules.update(dict.fromkeys({missing!r}))\nimport eqhls\n"
        f"try: eqhls.load_any({str(MODEL)!r}); import keras; print(keras.backend.backend())\n"
        "except eqhls.CompileError as error: print(error)\n"
    )
    own = {k: v for k, v in os.environ.items() if k not in (VARIABLE, "KERAS_HOME")}
    environment = own | {"HOME": str(home), "TF_CPP_MIN_LOG_LEVEL": "3"} | variables
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_file_is_read_with_the_backend_that_is_there(tmp_path: Path) -> None:
    """Keras itself would take TensorFlow, and fail."""
    assert reading(("tensorflow",), tmp_path) == "jax"


def test_without_a_backend_the_error_says_what_to_install(tmp_path: Path) -> None:
    assert reading(("jax", "tensorflow", "torch"), tmp_path) == (
        "Keras: has no backend: found none of jax, tensorflow, torch; "
        "pip install 'eqhls[keras,jax]' or 'eqhls[keras,tensorflow]'"
    )


def test_a_backend_that_is_named_and_missing_is_an_error(tmp_path: Path) -> None:
    said = reading(("tensorflow", "torch"), tmp_path, KERAS_BACKEND="tensorflow")
    assert said == (
        "KERAS_BACKEND: names tensorflow, which is not installed; install it, or set KERAS_BACKEND to jax"
    )


BOTH = ("jax", "tensorflow")
CHOICES: Mapping[str, tuple[tuple[str, ...], str, str, str]] = {
    "Keras's own default": (BOTH, "", "", ""),
    "one that is named": (BOTH, "jax", "", "jax"),
    "one of the settings": (BOTH, "", "jax", ""),
    "one of the settings that is missing": (("tensorflow",), "", "jax", "tensorflow"),
    "a default that is missing": (("jax",), "", "", "jax"),
    "NumPy, which Keras needs anyway": ((), "numpy", "", "numpy"),
}
"""What is installed, what KERAS_BACKEND and keras.json name (empty: nothing), what KERAS_BACKEND is then."""


@pytest.mark.parametrize("case", CHOICES)
def test_a_choice_that_works_is_kept(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there, named, written, expected = CHOICES[case]
    monkeypatch.setattr(kerasbackend, "find_spec", lambda name: name if name in (*there, "keras") else None)
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv(VARIABLE, named)
    if written:
        (tmp_path / "keras.json").write_text(json.dumps({"backend": written}))
    settle_backend()
    assert os.environ[VARIABLE] == expected


def test_settings_that_cannot_be_read_name_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kerasbackend, "find_spec", lambda name: name if name == "keras" else None)
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    for text in ("[]", "{", ""):
        (tmp_path / "keras.json").write_text(text)
        with pytest.raises(CompileError, match="Keras: has no backend"):
            settle_backend()
