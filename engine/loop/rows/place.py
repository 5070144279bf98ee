"""Where a verb of the loop writes its YAML; its page goes beside it."""

from __future__ import annotations

from typing import Any

from sliceforge.engine.errors import SettingError


def check_place(out: Any, example: str) -> None:
    """Refuse a name whose page would have the same one.

    Args:
        out: as given.
        example: a good one, such as `slices.yaml`.

    Raises:
        SettingError: it does not end in .yaml or .yml.
    """
    text = str(out or "")
    if not text.endswith((".yaml", ".yml")):
        raise SettingError(f"out: {text or 'nothing'}: expected a YAML file, such as out={example}")
