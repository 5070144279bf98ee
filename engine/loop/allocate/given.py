"""Settings of `allocate` that nothing else would notice were they mistyped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sliceforge.engine.banks import Shelf
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.coverage import unasked
from sliceforge.engine.errors import SettingError


def names(config: Mapping[str, Any], key: str, example: str) -> tuple[str, ...]:
    """A setting that is a list of names.

    Raises:
        SettingError: it is something else, such as a name without brackets.
    """
    given = config[key] or []
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise SettingError(f"{key}: {given!r}: expected a list of names, such as {key}=[{example}]")
    return tuple(given)


def check_banks(banks: Mapping[str, str], kind: str, recipes: Sequence[str]) -> None:
    """Refuse a bank that is not there, or that no recipe reads.

    Args:
        banks: name → folder or table.
        kind: audio or image.
        recipes: names; without any, all banks do.

    Raises:
        SettingError: one line.
    """
    made = [load_recipe(name) for name in recipes]
    for bank, path in banks.items():
        lines = [line for recipe in made for line in unasked(recipe, {bank: path})]
        if lines and len(lines) == len(made):
            raise SettingError(max(lines, key=len))  # the one that says what it may have meant
    Shelf.open(banks, kind)
