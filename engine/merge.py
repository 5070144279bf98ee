"""Hydra's defaults lists and merging, without Hydra's global state, plugins and own configuration."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra._internal.defaults_list import create_defaults_list
from hydra.core.override_parser.types import Override, OverrideType, ValueType
from hydra.errors import HydraException
from hydra.version import VersionBase
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from packaging.version import Version

from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.library import Library
from sliceforge.engine.vet import RECIPE_KEYS, resolved

MAPPINGS = ("steps", "sets", "gates")
_LOCK = threading.Lock()


@contextmanager
def _private() -> Iterator[None]:
    """Hydra keeps the version whose behaviour is wanted in one global; lend it ours and give it back."""
    with _LOCK:
        versions = VersionBase.instance()
        before = versions.version_base
        versions.version_base = Version("1.3")
        try:
            yield
        finally:
            versions.version_base = before


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except (HydraException, OmegaConfBaseException, ValueError) as error:
        raise SettingError(" ".join(str(error).split())) from None
    except RecursionError:
        raise SettingError("defaults: a recipe is among its own defaults") from None


def merged(
    verb: str, recipe: str, given: Sequence[Override], library: Library
) -> tuple[dict[str, Any], dict[str, str]]:
    """The configuration of a verb and the origin of each value in it, all references followed.

    Args:
        verb: the name of the file to begin with.
        recipe: the name of the recipe, or empty for a verb without one.
        given: changes, in order.
        library: where files are found.

    Raises:
        SettingError: one line.
    """
    choice = Override(OverrideType.CHANGE, "recipe", ValueType.ELEMENT, recipe, input_line=f"recipe={recipe}")
    overrides = [*given, choice] if recipe else list(given)
    with _private(), _one_line():
        found = create_defaults_list(library, verb, overrides, prepend_hydra=False, skip_missing=False)
        loader = ConfigLoaderImpl(ConfigSearchPathImpl())
        config = loader._compose_config_from_defaults_list(found.defaults, library)
        origins: dict[str, str] = {}
        for default in found.defaults:
            loaded = loader._load_single_config(default, library)
            origins |= dict.fromkeys(leaves(OmegaConf.to_container(loaded.config)), loaded.path)
        if recipe:  # so that a key that the recipe leaves out can be given without a +
            for key in RECIPE_KEYS:
                if config.get(key) is None:
                    config[key] = {} if key in MAPPINGS else None
        OmegaConf.set_struct(config, True)
        for override in found.config_overrides:
            _apply(override, config)
            value = None if override.is_delete() else override.value()
            origins |= dict.fromkeys(leaves(value, override.key_or_group), override.input_line or "")
        plain = OmegaConf.to_container(config)
    assert isinstance(plain, dict)
    return resolved({str(key): value for key, value in plain.items()}), origins


def _apply(override: Override, config: DictConfig) -> None:
    # Every step may have a `p`, whether its part names it or not.
    step = re.fullmatch(r"steps\.(\w+)\.p", override.key_or_group)
    if step and override.type == OverrideType.CHANGE and step[1] in (config.get("steps") or {}):
        override = replace(override, type=OverrideType.FORCE_ADD)
    try:
        ConfigLoaderImpl._apply_overrides_to_config([override], config)
    except (HydraException, OmegaConfBaseException) as error:
        node: Any = config
        words = override.key_or_group.split(".")
        for index, word in enumerate(words):
            if not isinstance(node, DictConfig):
                break
            if word not in node:
                place = ".".join(words[: index + 1])
                near = did_you_mean(word, [str(key) for key in node])
                plain = not override.is_delete() and "did you mean" not in near
                add = f"; to add it write +{override.input_line}" if plain else ""
                raise SettingError(f"{place}: no such key{near}{add}") from None
            node = node[word]
        raise SettingError(f"{override.input_line}: {' '.join(str(error).split())}") from None


def leaves(value: Any, place: str = "") -> Iterator[str]:
    """The dotted names of all values in plain data; a list is one value."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{place}.{key}" if place else str(key))
    else:
        yield place
