"""What the commands of this folder found, in one file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sliceforge.engine.bench import machine

PLACE = Path(__file__).resolve().parents[1] / "results" / "loader.json"


def write(part: str, found: Mapping[str, Any]) -> None:
    """Put what one command found beside what the others did, and print it."""
    known = json.loads(PLACE.read_text("utf-8")) if PLACE.exists() else {}
    known |= {"machine": machine(), part: found}
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_text(json.dumps(known, indent=1) + "\n", "utf-8")
    print(json.dumps(found, indent=1))
