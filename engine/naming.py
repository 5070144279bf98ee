"""How a bank is named: a folder, a table, a run, several of them, a folder with a pattern, or the run's own data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sliceforge.engine import manifest, sources
from sliceforge.engine.manifest import Manifest
from sliceforge.engine.recipe import Recipe


def absolute(path: str, key: str) -> str:
    """A bank's path, or several, that mean the same in any folder."""
    places = [str(Path(place).resolve()) for place in sources.split(path, key)]
    if len(places) == 1:
        return places[0]
    return f"[{', '.join(chr(34) + place.replace(chr(34), chr(34) * 2) + chr(34) for place in places)}]"


def own(data: str | Sequence[str] | None, pattern: str, found: Manifest) -> str:
    """The path by which a run's own data are one of its banks.

    Args:
        data, pattern: as `manifest.read` took them.
        found: what it returned.
    """
    if not data:
        return str(found.root / "manifest.csv")
    places = []
    for place in sources.split(data):
        plain = bool(pattern) and Path(place).is_dir() and not sources.is_run(Path(place))
        places.append(f"{place}/{pattern}" if plain else place)
    return places[0] if len(places) == 1 else f"[{', '.join(f'{chr(34)}{place}{chr(34)}' for place in places)}]"


def given(
    config: Mapping[str, Any], recipe: Recipe, found: Manifest, banks: Mapping[str, Any] | None = None
) -> dict[str, str]:
    """name → path of each bank of a run: those that were given, and its own data where the recipe takes those instead.

    Args:
        config: `data` and `pattern`, and `banks`.
        found: what `manifest.read` made of them.
        banks: in the place of the configuration's.
    """
    named = config.get("banks") if banks is None else banks
    paths = {name: str(path) for name, path in (named or {}).items() if path}
    data = own(config.get("data"), config.get("pattern") or "", found)
    return dict.fromkeys(sorted(recipe.own_banks()), data) | paths


def listed(path: str, kind: str, key: str) -> Manifest:
    """What a bank holds. A folder may be followed by a pattern: `banks.voices=FOLDER/{speaker}_{index}`.

    Raises:
        SettingError: there is nothing that can be read.
    """
    places, pattern = [], ""
    for place in sources.split(path, key):
        head, brace, tail = place.partition("{")
        if brace and not Path(place).exists():
            folder, _, begin = head.rpartition("/")
            pattern, place = f"{begin}{brace}{tail}", folder or "."
        places.append(place)
    return manifest.read(places if len(places) > 1 else places[0], kind, pattern, key)
