"""Small folders and tables, and what a manifest of one says."""

from pathlib import Path

import pytest

from sliceforge.engine.errors import SettingError
from sliceforge.engine.manifest import COLUMNS, Manifest, read


def touch(root: Path, *paths: str) -> Path:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"x")
    return root


def rows(found: Manifest) -> list[tuple[str, ...]]:
    return [tuple(row[name] for name in COLUMNS) for row in found.table.to_pylist()]


def reasons(found: Manifest) -> dict[str, str]:
    return {reject.id: reject.reason for reject in found.rejects}


def table(root: Path, name: str, text: str | bytes) -> str:
    (root / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return str(root / name)


def refused(data: str, *words: str, pattern: str = "", key: str = "data") -> str:
    with pytest.raises(SettingError) as error:
        read(data, "audio", pattern, key)
    message = str(error.value)
    assert "\n" not in message
    assert len(message) < 800
    for word in words:
        assert word in message
    return message
