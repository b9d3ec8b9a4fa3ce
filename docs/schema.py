"""Write docs/config.schema.json: the keys of a configuration, for editors that check YAML as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

from eqhls.options import Options

PLACE = Path(__file__).with_name("config.schema.json")


def schema() -> str:
    """Return the JSON schema of the options."""
    return json.dumps(Options.model_json_schema(), indent=1) + "\n"


if __name__ == "__main__":
    PLACE.write_text(schema())
