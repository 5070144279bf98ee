"""Several runs from one line, as with Hydra: `--multirun recipe=a,b seed=1,2` is four jobs, the last varies fastest."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import prod
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser, create_functions
from hydra.errors import HydraException

from sliceforge.engine.compose import compose
from sliceforge.engine.errors import SettingError, SliceforgeError
from sliceforge.engine.library import Library
from sliceforge.engine.overrides import TEXTS, signed

Make = Callable[[dict[str, Any], list[str], list[str]], int]
"""Makes one job of (its configuration, its settings, folders of --config-dir); returns an exit code."""

_HOME = "runs/multirun"
_MOST_JOBS = 10_000
_LONGEST = 200
_SWEEP = re.compile(r"[^=]*=\s*(choice|range|interval|glob|shuffle|sort|tag)\(")
_UNSAFE = re.compile(r"[^A-Za-z0-9_.,=+@-]")


@dataclass(frozen=True)
class Job:
    """One run of a sweep.

    Args:
        title: what is its own, such as `recipe=steel/scratches seed=1`.
        settings: what would be typed for it alone.
        config: its configuration; `out` is a folder of its own.
    """

    title: str
    settings: list[str]
    config: dict[str, Any]


def multirun(arguments: Sequence[str], config_dirs: Sequence[str], make: Make) -> int:
    """Make every job of a sweep, one after the other; a job that fails does not stop the next.

    Args:
        arguments: what follows the verb; a value may be `1,2`, `choice(1,2)`, `range(1,9)` or, for names, `glob(x/*)`.
        config_dirs: the folders of `--config-dir`.
        make: makes one.

    Returns:
        The greatest of their exit codes.

    Raises:
        SettingError: a setting of any job is wrong; none was made.
    """
    found = jobs(arguments, config_dirs)
    code = 0
    for number, job in enumerate(found, 1):
        print(f"[{number}/{len(found)}] {job.title}", flush=True)
        try:
            code = max(code, make(job.config, job.settings, list(config_dirs)))
        except SliceforgeError as error:
            print(f"sliceforge: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
            code = max(code, error.code)
    return code


def jobs(arguments: Sequence[str], config_dirs: Sequence[str] = ()) -> list[Job]:
    """The jobs of a line, composed and checked, in Hydra's order.

    Raises:
        SettingError: naming the setting.
    """
    parser = OverridesParser(_functions(), Library(config_dirs))
    choices: dict[str, list[str]] = {}
    varied: set[str] = set()
    for argument in arguments:
        key = argument.partition("=")[0]
        values = _values(argument, parser)
        choices.pop(key, None)  # the last one counts, and applies where it stands
        choices[key] = [argument] if values is None else [f"{key}={value}" for value in values]
        varied = varied - {key} if values is None else varied | {key}
    number = prod(map(len, choices.values()))
    if number > _MOST_JOBS:
        raise SettingError(f"--multirun: {number:,} jobs: expected at most {_MOST_JOBS:,}, such as seed=range(1,9)")
    found: list[Job] = []
    taken: dict[str, str] = {}
    for settings in map(list, product(*choices.values())):
        own = [setting for key, setting in zip(choices, settings, strict=True) if key in varied]
        config = _composed(settings, own, config_dirs)
        if own:
            config["out"] = str(_base(config["out"]) / _folder(own, taken))
        found.append(Job(" ".join(own) or config["name"], settings, config))
    return found


def _composed(settings: list[str], own: list[str], config_dirs: Sequence[str]) -> dict[str, Any]:
    """A job's configuration, with all that can be known to be wrong before its material is read."""
    from sliceforge.engine.parse import from_config
    from sliceforge.engine.plan import check_inventory

    try:
        config = compose("generate", settings, config_dirs)
        recipe = from_config(config, tuple(config["trust"]))
        check_inventory(recipe, {bank: path for bank, path in config["banks"].items() if path})
    except SettingError as error:
        raise SettingError(": ".join(filter(None, (" ".join(own), str(error))))) from None
    return config


def _functions() -> Any:
    functions = create_functions()
    del functions.functions["shuffle"], functions.definitions["shuffle"]  # it draws from a global generator
    return functions


def _values(argument: str, parser: OverridesParser) -> list[str] | None:
    """The values of a sweep, written as overrides; None for a setting that has one value or is a text."""
    sign, key = signed(argument.partition("=")[0])
    if sign == "~" or key in TEXTS or key.startswith("banks."):
        return None
    try:
        override = parser.parse_overrides([argument])[0]
        if not override.is_sweep_override():
            return None
        if not override.is_discrete_sweep():
            raise SettingError(f"{argument}: an interval has no end of values; expected such as {key}=range(1,9)")
        values = list(islice(override.sweep_string_iterator(), _MOST_JOBS + 1))
    except (HydraException, ValueError):
        if not _SWEEP.match(argument):
            return None  # the composer says what is wrong with it
        values = []
    if not values:
        example = "recipe=speech/car_noise,steel/scratches" if key == "recipe" else f"{key}=1,2 or {key}=range(1,9)"
        raise SettingError(f"{argument}: gives no values; expected such as {example}")
    return [_as_typed(value) for value in values] if key == "recipe" else values


def _as_typed(value: str) -> str:
    """A recipe's name without the quotes and escapes of Hydra's grammar: it is taken as typed."""
    quote = value[:1]
    inner = value[1:-1].replace(f"\\{quote}", quote) if quote in ("'", '"') and len(value) > 1 else value
    return re.sub(r"\\(.)", r"\1", inner)


def _base(out: str | None) -> Path:
    base = Path(out or _HOME)
    if (base / "run.yaml").exists():
        raise SettingError(f"out: {base}: holds a run; expected a folder for several, such as out=runs/sweep")
    return base


def _folder(own: Sequence[str], taken: dict[str, str]) -> str:
    """A job's folder: Hydra's override_dirname, safe as a path; short, and no other's."""
    text = ",".join(sorted(own))
    name = _UNSAFE.sub("_", text)
    if len(name) > _LONGEST or taken.get(name, text) != text:
        name = f"{name[:_LONGEST]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    taken[name] = text
    return name
