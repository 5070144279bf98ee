"""From a verb and what follows it on the command line to one plain configuration: Hydra composes, privately.

No `hydra.main`, no global state, no plugin, no Hydra configuration: only its defaults lists, override grammar and
merging. It works inside a user's own Hydra application and leaves that untouched.

A derived recipe lists the recipe that it changes. Steps run in the order in which they are first named, so

    # @package _global_
    defaults:
      - /op/audio@steps.band: band     # before the base: runs before its steps
      - speech/car_noise               # the base
      - /op/audio@steps.clip: clip     # after the base: runs after its steps
      - _self_
    steps:
      mix: {snr: [0, 10]}              # changes a step
      level: null                      # drops a step

Operators' parts in conf/op may also follow a step's name directly, with `steps: {clip: {op: audio/clip}}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.library import FILE, HOME, Library
from sliceforge.engine.merge import MAPPINGS, leaves, merged
from sliceforge.engine.overrides import read
from sliceforge.engine.settings import check
from sliceforge.engine.vet import NAME, RECIPE_KEYS, read_yaml

if TYPE_CHECKING:
    from sliceforge.engine.recipe import Recipe

VERBS = (
    "generate",
    "preview",
    "bench",
    "replay",
    "audit",
    "report",
    "find",
    "allocate",
    "verify",
    "loop",
    "list",
    "show",
)


@dataclass(frozen=True)
class Composed:
    """A configuration and where each value in it came from.

    Args:
        config: plain data.
        origins: `steps.mix.snr` → the file or the override that set it last.
    """

    config: dict[str, Any]
    origins: dict[str, str]


def compose(verb: str, overrides: Sequence[str], config_dirs: Sequence[str] = ()) -> dict[str, Any]:
    """The configuration of a verb, as plain data; `name` is the recipe's name where the verb takes a recipe.

    Args:
        verb: one of `VERBS`.
        overrides: what the user wrote: `seed=7`, `recipe=./mine.yaml`, `steps.mix.snr=[0, 10]`, `~steps.level`.
        config_dirs: more folders with `recipe/`, `op/` or `sink/` in them.

    Raises:
        SettingError: one line.
    """
    return trace(verb, overrides, config_dirs).config


def load_recipe(name: str, *overrides: str, trust: Sequence[str] = (), config_dirs: Sequence[str] = ()) -> Recipe:
    """A recipe, composed and built.

    Args:
        name: `speech/car_noise`, or a file, such as `./mine.yaml`.
        overrides: as on the command line.
        trust: packages whose operators the recipe may name.
        config_dirs: more folders with recipes.

    Raises:
        SettingError: one line.
    """
    from sliceforge.engine.parse import from_config

    return from_config(compose("show", [*overrides, f"recipe={name}"], config_dirs), trust)


def trace(verb: str, overrides: Sequence[str], config_dirs: Sequence[str] = ()) -> Composed:
    """`compose`, together with where each value came from."""
    if verb not in VERBS:
        raise SettingError(f"{verb}: no such verb{did_you_mean(verb, VERBS)}")
    own, _ = read_yaml(HOME / "conf" / f"{verb}.yaml", f"conf/{verb}.yaml")
    groups = {key: value for entry in own.pop("defaults", []) if entry != "_self_" for key, value in entry.items()}
    has_recipe = "recipe" in groups
    given = read(overrides, {*own, *groups} - {"recipe" if has_recipe else ""}, has_recipe)
    name = given.recipe if given.recipe is not None else groups.get("recipe")
    file = name if has_recipe and name and name.endswith((".yaml", ".yml")) else ""
    library = Library(config_dirs, file)
    if has_recipe:
        _check_recipe(name or "", file, library)
    config, origins = merged(verb, (FILE if file else name or "") if has_recipe else "", given.parsed, library)
    for key in MAPPINGS if has_recipe else ():
        config[key] = {inner: value for inner, value in (config[key] or {}).items() if value is not None}
    for key, text in given.texts.items():
        root, _, inner = key.partition(".")
        if inner:
            config[root] = {**config[root], inner: text} if text else _without(config[root], inner)
        else:
            config[root] = text
        origins[key] = "as given"
    if has_recipe:
        config["name"] = Path(file).stem if file else name
        kept = [key for key in config if key not in RECIPE_KEYS]
        config = {key: config[key] for key in (*kept, *RECIPE_KEYS) if key in kept or config[key] is not None}
    elif "recipe" in own:
        config["recipe"] = given.recipe or None
    check(verb, config)
    return Composed(config, {leaf: _origin(leaf, origins) for leaf in leaves(config)})


def _origin(leaf: str, origins: Mapping[str, str]) -> str:
    while leaf and leaf not in origins:  # a reference may have brought in a whole mapping
        leaf = leaf.rpartition(".")[0]
    return origins.get(leaf, "")


def _check_recipe(name: str, file: str, library: Library) -> None:
    if file:
        if "://" in file:
            raise SettingError(f"recipe: {file}: expected a file, such as ./mine.yaml")
        if not Path(file).is_file():
            beside = [str(path) for path in Path(file).parent.glob("*.yaml")] if Path(file).parent.is_dir() else []
            raise SettingError(f"recipe: {file}: no such file{_only_near(str(Path(file)), beside)}")
    elif not NAME.fullmatch(name) or library.place(f"recipe/{name}") is None:
        known = library.names("recipe")
        near = did_you_mean(name, known) if known else "; expected a name, such as speech/car_noise"
        raise SettingError(f"recipe: {name}: no such recipe{near}")


def _only_near(word: str, known: Sequence[str]) -> str:
    tail = did_you_mean(word, known)
    return tail if "did you mean" in tail else ""


def _without(mapping: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in mapping.items() if name != key}
