"""Entries of a YAML file as the fields of a dataclass: known names, and values of their kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.paths import shown


def checked(given: Mapping[str, Any], kind: type, where: str) -> dict[str, Any]:
    """The entries of a mapping as the fields of a dataclass, lists as tuples.

    Args:
        given: what was read.
        kind: the dataclass.
        where: how messages name the mapping.

    Raises:
        SettingError: an unknown name, or a value of another kind.
    """
    known = {one.name: str(one.type) for one in fields(kind)}
    found = {}
    for name, value in given.items():
        if name not in known:
            raise SettingError(f"{where}: {shown(str(name), 40)}: no such entry{did_you_mean(str(name), known)}")
        fits, expected = _fits(value, known[name])
        if not fits:
            raise SettingError(f"{where}: {name} {shown(repr(value), 60)}: expected {expected}")
        found[name] = tuple(value) if isinstance(value, list) else value
    return found


def _fits(value: Any, hint: str) -> tuple[bool, str]:
    if "tuple" in hint:
        return isinstance(value, list) and all(isinstance(one, str) for one in value), "a list of texts, such as [a, b]"
    if "Mapping" in hint:
        return isinstance(value, dict), "a mapping, such as {noise: FOLDER}"
    if value is None:
        return "None" in hint, "a value"
    if "int" in hint:
        return isinstance(value, int) and not isinstance(
            value, bool
        ) and value >= 0, "a whole number from 0, such as 500"
    if "float" in hint:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1
        return fits, "a share from 0 to 1, such as 0.4"
    return isinstance(value, str), "a text"
