"""From what a recipe says of an operator (or a gate) to the operator, every value checked against its field."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, get_type_hints

from sliceforge.engine.distribution import Distribution
from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.op import Real, Whole
from sliceforge.engine.shares import Shares


def build(kind: type[Any], settings: Mapping[str, Any], where: str) -> Any:
    """An operator (or a gate) from what a recipe says.

    Args:
        kind: the frozen dataclass.
        settings: field name → value.
        where: the place in the recipe, such as `steps.mix`, for messages.

    Raises:
        SettingError: an unknown field, a wrong type, a value out of bounds.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}
    hints = get_type_hints(kind)
    for name in settings:
        if name not in fields:
            raise SettingError(f"{where}.{name}: no such setting{did_you_mean(name, fields)}")
    values = {}
    for name, field in fields.items():
        default = field.default_factory() if callable(field.default_factory) else field.default
        value = settings.get(name, default)
        if value is dataclasses.MISSING:
            raise SettingError(f"{where}.{name}: is needed")
        values[name] = _value(value, hints[name], field.metadata, f"{where}.{name}")
    built = kind(**values)
    try:
        built.check()
    except SettingError as error:
        raise SettingError(f"{where}.{error}") from None
    return built


def _value(value: Any, hint: type, metadata: Mapping[str, Any], where: str) -> Any:
    choices, low, high = metadata.get("choices"), metadata.get("low", -math.inf), metadata.get("high", math.inf)
    if hint in (Real, Whole):
        value = Distribution.parse(value, where, whole=hint is Whole)
        ends = value.ends()
        if ends is None:
            raise SettingError(f"{where}: {list(value.values)}: expected numbers, such as [choice, 5, 10, 15]")
        inside = low <= ends[0] <= ends[1] <= high
    elif hint is Shares:
        return Shares.parse(value, where)
    elif hint is float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise SettingError(f"{where}: {value!r}: expected a number, such as 1.5")
        value, inside = float(value), low <= value <= high
    elif isinstance(value, bool) is not (hint is bool) or not isinstance(value, hint):
        raise SettingError(f"{where}: {value!r}: expected {_named(hint)}")
    else:
        inside = not isinstance(value, int) or low <= value <= high
    if choices and value not in choices:
        raise SettingError(f"{where}: {value!r}: expected one of {', '.join(choices)}{_nearest(value, choices)}")
    if not inside:
        unit = f" {metadata['unit']}" if metadata.get("unit") else ""
        raise SettingError(f"{where}: {_shown(value)}: expected at least {low:g} and at most {high:g}{unit}")
    return value


def _nearest(value: Any, choices: Sequence[str]) -> str:
    tail = did_you_mean(str(value), choices)
    return tail if "did you mean" in tail else ""


def _shown(value: Any) -> str:
    if not isinstance(value, Distribution):
        return repr(value)
    if value.kind == "constant":
        return f"{value.values[0]:g}"
    head = [] if value.kind == "uniform" else [value.kind]
    return f"[{', '.join(map(str, [*head, *value.values]))}]"


def _named(hint: type) -> str:
    return {str: "a word, such as active", bool: "true or false", int: "a whole number, such as 3"}.get(
        hint, getattr(hint, "__name__", str(hint))
    )
