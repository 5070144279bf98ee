"""The text of `show`: a recipe with every setting, read from the folders with nothing imported."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sliceforge.engine.anatomy import Part, part
from sliceforge.engine.compose import trace
from sliceforge.engine.texts import WIDTH, Row, plain, table


def show(config: Mapping[str, Any], overrides: Sequence[str] = (), config_dirs: Sequence[str] = ()) -> str:
    """The text of `show`: every value of a recipe, its unit, and the file that set it.

    Args:
        config: what `compose("show", overrides, config_dirs)` returns.
        overrides: what the user wrote.
        config_dirs: the folders of `--config-dir`.
    """
    traced = trace("show", overrides, config_dirs).origins
    origins = {key: origin if origin.endswith((".yaml", ".yml")) else "as given" for key, origin in traced.items()}
    rows: list[Row] = [("setting", "value", "unit", "set by")]
    for key in ("kind", "rate", "size", "guard_db"):
        if key in config:
            rows.append((key, plain(config[key]), _UNITS.get(key, ""), origins.get(key, "")))
    for name, given in config["steps"].items():
        rows += _step(f"steps.{name}", given, origins)
    rows += _part("sets", config.get("sets", {}), None, origins)
    for name, given in config.get("gates", {}).items():
        known = part(f"gate/{given.get('gate', name)}") if isinstance(given, Mapping) else None
        rows += _part(f"gates.{name}", given, known, origins, "gate")
    head = textwrap.fill(": ".join(filter(None, (config["name"], config.get("about", "")))), WIDTH)
    return f"{head}\n\n{table(rows)}"


_UNITS = {"rate": "hertz", "guard_db": "dBFS"}


def _step(place: str, given: Any, origins: Mapping[str, str]) -> Iterator[Row]:
    rest, branches = given, {}
    if isinstance(given, Mapping) and isinstance(given.get("one_of"), Mapping):
        rest, branches = {key: value for key, value in given.items() if key != "one_of"}, given["one_of"]
    known = part(str(rest.get("op", ""))) if isinstance(rest, Mapping) else None
    yield from _part(place, rest, known, origins, "op")
    for branch, own in branches.items():
        yield from _step(f"{place}.one_of.{branch}", own, origins)


def _part(place: str, given: Any, known: Part | None, origins: Mapping[str, str], what: str = "") -> Iterator[Row]:
    """A line for what it is, then one for each setting: those given, and those that keep the operator's own default."""
    if not isinstance(given, Mapping):
        yield place, plain(given), "", origins.get(place, "")
        return
    if given or what:
        name = given.get(what, known.name.split("/")[1] if known else "")
        yield place, plain(name), "", origins.get(f"{place}.{what}", "")
    own = known.settings if known else {}
    for key, value in given.items():
        unit = own[key].unit if key in own else "share of items" if key == "p" else ""
        if key != what:
            yield f"  {key}", plain(value), unit, _origin(f"{place}.{key}", origins)
    for key, setting in own.items():
        if key not in given and known:
            yield f"  {key}", plain(setting.default), setting.unit, f"kernels/{known.name}.py"


def _origin(place: str, origins: Mapping[str, str]) -> str:
    """The origin of a value, or of the first value in a mapping."""
    return next((origin for key, origin in origins.items() if f"{key}.".startswith(f"{place}.")), "")
