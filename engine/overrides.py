"""What follows the verb, `key=value …`: texts taken as typed, the rest read by Hydra's grammar and vetted."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from hydra.core.override_parser.overrides_parser import OverridesParser, create_functions
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.vet import FORBIDDEN, NAME, RECIPE_KEYS, vet

# Taken as typed: Hydra's grammar refuses ` = `, `<`, `(`, `ü`, `~` and `#`.
_OF_MATERIAL = ("data", "pattern", "parents", "slice", "out", "run", "id")
_OF_THE_LOOP = ("predictions", "production", "before", "after", "slices", "budget")
_OF_TRAINING = (
    "train",
    "train_pattern",
    "train_predictions",
    "cluster",
    "curves",
    "suspects",
    "found_on",
    "eval",
    "eval_pattern",
)
TEXTS = (*_OF_MATERIAL, *_OF_THE_LOOP, *_OF_TRAINING)
_PLAIN = re.compile(r"[A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*")
_STEP = re.compile(r"op(/[a-z0-9_]+)+@steps(\.[a-z0-9_]+)+")
_BANK = re.compile(r"banks\.[A-Za-z0-9_]+")
_RANDOM = ("shuffle", "choice", "range", "interval", "glob", "tag", "sort")


@dataclass
class Overrides:
    """A command line, sorted.

    Args:
        recipe: what follows `recipe=`, or None.
        texts: key → text as typed; an empty one is None, which unsets the setting.
        parsed: all others, as Hydra reads them.
    """

    recipe: str | None = None
    texts: dict[str, str | None] = field(default_factory=dict)
    parsed: list[Override] = field(default_factory=list)


def read(arguments: Sequence[str], settings: Collection[str], has_recipe: bool) -> Overrides:
    """Sort and vet the arguments of a verb.

    Args:
        arguments: `key=value`, `+key=value`, `~key`.
        settings: the verb's own settings.
        has_recipe: whether the verb takes a recipe and changes of it.

    Raises:
        SettingError: an unknown key, a value that cannot be read, or one that a recipe may not hold.
    """
    found = Overrides()
    allowed = {*settings, *(RECIPE_KEYS if has_recipe else ())}
    for argument in arguments:
        sign, rest = signed(argument)
        key, equals, value = rest.partition("=")
        root = key.split(".")[0]
        if not equals and sign != "~":
            raise SettingError(f"{argument}: expected key=value, such as {_example(key, allowed)}")
        if key == "recipe" and (has_recipe or key in settings):
            found.recipe = value
        elif root in settings and (key in TEXTS or _BANK.fullmatch(key)):
            _no_delete(sign, key)
            found.texts[key] = value or None
        else:
            _check_key(sign, key, root, argument, settings, allowed)
            found.parsed.append(_parsed(argument))
    return found


def signed(argument: str) -> tuple[str, str]:
    """An override's sign, `++`, `+`, `~` or none, and the rest of it.

    >>> signed("++steps.mix.snr=3")
    ('++', 'steps.mix.snr=3')
    """
    sign = next((sign for sign in ("++", "+", "~") if argument.startswith(sign)), "")
    return sign, argument.removeprefix(sign)


def _example(key: str, allowed: Collection[str]) -> str:
    return f"{key}=VALUE" if key in allowed else "recipe=speech/car_noise"


def _no_delete(sign: str, key: str) -> None:
    if sign == "~":
        value = "" if key in TEXTS or _BANK.fullmatch(key) else "VALUE"
        raise SettingError(f"~{key}: only what a recipe holds can be dropped; write {key}={value}")


def _check_key(
    sign: str, key: str, root: str, argument: str, settings: Collection[str], allowed: Collection[str]
) -> None:
    if root in FORBIDDEN or root.startswith("hydra/"):
        raise SettingError(f"{argument}: Sliceforge has no {root.split('/')[0]} settings")
    if _STEP.fullmatch(key) and "steps" in allowed:
        return
    if key.split("@")[0] == "recipe" or "/" in key or "@" in key:
        raise SettingError(f"{argument}: expected recipe=NAME, or a step, such as +op/audio@steps.extra=level")
    if not _PLAIN.fullmatch(key):
        raise SettingError(f"{key!r}: expected a key, such as steps.mix.snr")
    if root == "banks" and root in allowed:
        raise SettingError(f"{argument}: expected a bank's name, such as banks.noise=FOLDER")
    if root not in allowed:
        near = did_you_mean(root, allowed)
        raise SettingError(f"{root}: no such setting{near}")
    if root in settings:
        _no_delete(sign, key)


def _parsed(argument: str) -> Override:
    functions = create_functions()
    for name in _RANDOM:  # sweeps, and what would draw from a global generator
        del functions.functions[name], functions.definitions[name]
    try:
        override = OverridesParser(functions).parse_overrides([argument])[0]
        value = override.value()
    except HydraException as error:
        raise SettingError(f"{argument}: {_problem(error)}; a text with signs is quoted: key='a=b'") from None
    if override.is_sweep_override():
        raise SettingError(f"{argument}: expected one value; a list is written [a, b]")
    key = override.key_or_group
    if "/" in key or (key == "sink" and not isinstance(value, dict)):
        for name in value if isinstance(value, list) else [value]:
            if not (override.is_delete() or (isinstance(name, str) and NAME.fullmatch(name))):
                raise SettingError(f"{argument}: {name!r}: expected a name of lower-case words, such as mix")
    nested = value
    for word in reversed(key.split(".")):
        nested = {word: nested}
    vet(nested)
    return override


def _problem(error: HydraException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    kept = [line for line in lines if not line.startswith(("See http", "Error parsing override", "^"))]
    return "; ".join(kept).removeprefix("HydraException while evaluating ") or "cannot be read"
