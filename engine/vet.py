"""A recipe is data, not code: what a YAML file or an override may hold, checked before anything is composed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from omegaconf._utils import get_yaml_loader

from sliceforge.engine.errors import SettingError, did_you_mean

RECIPE_KEYS = ("about", "material", "kind", "rate", "size", "guard_db", "steps", "sets", "gates")
FORBIDDEN = ("_target_", "_partial_", "_recursive_", "_convert_", "_args_", "hydra")
NAME = re.compile(r"[a-z0-9_]+(/[a-z0-9_]+)*")
REFERENCE = re.compile(r"\$\{([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)\}")

_LOADER = get_yaml_loader()
_MOST_BYTES = 1_000_000
_MOST_DEPTH = 32
_MOST_VALUES = 20_000
_MOST_CHARACTERS = 2_000


def read_yaml(path: Path, shown: str) -> tuple[dict[str, Any], str | None]:
    """The data of one file, and its package directive.

    Args:
        path: the file.
        shown: how messages name it.

    Raises:
        SettingError: the file cannot be read, is no mapping, or holds what a recipe may not.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SettingError(f"{shown}: is longer than {_MOST_BYTES:,} bytes")
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise SettingError(f"{shown}: {reason}") from None
    data = _parse(text, shown)
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise SettingError(f"{shown}: expected a mapping, such as steps: {{gain: {{op: audio/level}}}}")
    try:
        vet(data)
    except SettingError as error:
        raise SettingError(f"{shown}: {error}") from None
    directive = re.search(r"^[ \t]*#[ \t]*@package\b(.*)$", text, re.MULTILINE)
    if directive and directive[1].strip() != "_global_":
        raise SettingError(f"{shown}: @package{directive[1]}: expected the first line to be # @package _global_")
    return data, "_global_" if directive else None


def _parse(text: str, shown: str) -> Any:
    try:
        _check_events(yaml.parse(text, Loader=yaml.SafeLoader), shown)
        return yaml.load(text, _LOADER)  # a safe loader, whose numbers and duplicate keys are Hydra's
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise SettingError(f"{shown}{line}: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise SettingError(f"{shown}: {' '.join(str(error).split())}") from None


def _check_events(events: Iterator[yaml.Event], shown: str) -> None:
    documents = depth = 0
    for event in events:
        mark, anchor = event.start_mark, getattr(event, "anchor", None)
        line = f"{shown}, line {mark.line + 1}" if mark else shown
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if documents > 1:
            raise SettingError(f"{line}: a second document; expected one")
        if depth > _MOST_DEPTH:
            raise SettingError(f"{line}: nested more than {_MOST_DEPTH} deep")
        if getattr(event, "tag", None) is not None or getattr(event, "tags", None):
            raise SettingError(f"{line}: {getattr(event, 'tag', '') or '%TAG'}: a recipe is data and has no tags")
        if anchor is not None:
            raise SettingError(f"{line}: &{anchor}: no anchors; refer to a key, such as ${{steps.mix.snr}}")


def vet(value: Any, where: str = "") -> None:
    """Refuse a key that makes code run, a key that is no word, and any interpolation but to a key of the recipe.

    Raises:
        SettingError: naming the place.
    """
    if isinstance(value, dict):
        for key, inner in value.items():
            place = f"{where}.{key}" if where else str(key)
            if not isinstance(key, str):
                raise SettingError(f"{place}: {key!r}: expected a word as key, such as mix")
            if "${" in key:
                raise SettingError(f"{place}: expected a word as key, such as mix, and no reference")
            if key in FORBIDDEN:
                raise SettingError(
                    f"{place}: a recipe is data and holds no {key}; name an operator, such as op: audio/mix"
                )
            vet(inner, place)
    elif isinstance(value, list):
        for inner in value:
            vet(inner, where)
    elif isinstance(value, str):
        vet_text(value, where)


def vet_text(text: str, where: str) -> None:
    """Refuse any `${…}` that is not a key of the recipe.

    Raises:
        SettingError: naming the place.
    """
    for key in REFERENCE.findall(text):
        if key.split(".")[0] not in RECIPE_KEYS:
            raise SettingError(f"{where}: ${{{key}}}: expected a key of the recipe, such as ${{steps.mix.snr}}")
    if "${" in REFERENCE.sub("", text):
        raise SettingError(f"{where}: {text[:80]!r}: expected only references such as ${{steps.mix.snr}}")


def resolved(data: dict[str, Any]) -> dict[str, Any]:
    """The same data with every `${key}` replaced by what stands there.

    Raises:
        SettingError: a key that is not there, a circle, a value that is still `???`, or more than any recipe needs.
    """
    left = _MOST_VALUES

    def at(node: Any, place: str, depth: int) -> Any:
        nonlocal left
        left -= 1
        if depth > _MOST_DEPTH:
            raise SettingError(f"{place}: its references go round in a circle")
        if left < 0:
            raise SettingError(f"{place}: more than {_MOST_VALUES:,} values, references counted")
        if isinstance(node, dict):
            return {key: at(inner, f"{place}.{key}".lstrip("."), depth) for key, inner in node.items()}
        if isinstance(node, list):
            return [at(inner, place, depth) for inner in node]
        if not isinstance(node, str):
            return node
        if node == "???":
            raise SettingError(f"{place}: is needed, such as {place}=VALUE")
        if REFERENCE.fullmatch(node):
            return at(_found(data, node[2:-1], place), place, depth + 1)
        text = REFERENCE.sub(lambda match: str(at(_found(data, match[1], place), place, depth + 1)), node)
        if text != node and len(text) > _MOST_CHARACTERS:
            raise SettingError(f"{place}: longer than {_MOST_CHARACTERS:,} characters")
        return text

    return {key: at(inner, key, 0) for key, inner in data.items()}


def _found(data: Any, key: str, place: str) -> Any:
    node = data
    for word in key.split("."):
        if not isinstance(node, dict) or word not in node:
            known = did_you_mean(word, node) if isinstance(node, dict) else ""
            raise SettingError(f"{place}: ${{{key}}}: no such key{known}")
        node = node[word]
    return node
