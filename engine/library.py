"""Where configuration is found: the folders recipes/, conf/, those of --config-dir, and a recipe file of one's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hydra._internal.config_repository import ConfigRepository
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigLoadError, ConfigResult
from omegaconf import OmegaConf

from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.vet import NAME, RECIPE_KEYS, read_yaml

# An editable install keeps the folders beside each other, as a wheel does.
HOME = Path(__file__).resolve().parent.parent
FILE = "FILE"  # the name under which a recipe file of one's own is mounted; no recipe can be called so
_GROUPS = ("recipe", "op", "sink")
_STEP_ENTRY = re.compile(r"((?:override )?)/?(op/[a-z0-9_/]+)@(steps(?:\.[a-z0-9_]+)+)")
_MOST_READS = 1_000


def _told(entry: Any) -> str:
    return ", ".join(f"{key}: {value}" for key, value in entry.items()) if isinstance(entry, dict) else str(entry)


class _NoSchema:
    """Hydra asks for a schema of each file; there is none."""

    def load_config(self, config_path: str) -> ConfigResult:
        raise ConfigLoadError(config_path)


class Library(ConfigRepository):
    """Hydra's view of the folders; every file is vetted as it is read.

    Args:
        config_dirs: folders that hold `recipe/`, `op/` or `sink/`, searched after what comes with Sliceforge.
        file: a recipe file of one's own; its folder is searched first.
    """

    def __init__(self, config_dirs: Sequence[str] = (), file: str = "") -> None:
        self._file = file
        self._read: dict[str, ConfigResult] = {}
        self._reads = 0
        self._folders: list[tuple[str, Path, str]] = []  # (group, folder, how its files are shown)
        if file:
            parent = Path(file).parent
            self._folders.append(("recipe", parent, f"{parent}/" if parent != Path() else ""))
        self._folders.append(("recipe", HOME / "recipes", "recipes/"))
        self._folders += [(group, HOME / "conf" / group, f"conf/{group}/") for group in ("op", "sink")]
        for name in config_dirs:
            if not Path(name).is_dir():
                raise SettingError(f"--config-dir: {name}: no such folder")
            self._folders += [(group, Path(name) / group, f"{name}/{group}/") for group in _GROUPS]
        self._folders.append(("", HOME / "conf", "conf/"))

    def place(self, config_path: str) -> tuple[Path, str] | None:
        """The file of a name such as `recipe/speech/car_noise`, and how messages show it."""
        if config_path == f"recipe/{FILE}":
            return Path(self._file), self._file
        if not NAME.fullmatch(config_path):
            return None
        for group, folder, shown in self._folders:
            name = config_path.removeprefix(f"{group}/") if group else config_path
            inside = config_path.startswith(f"{group}/") if group else "/" not in config_path
            if inside and (folder / f"{name}.yaml").is_file():
                return folder / f"{name}.yaml", f"{shown}{name}.yaml"
        return None

    def names(self, group: str) -> list[str]:
        """The names in a group, such as `speech/car_noise` in `recipe` and `mix` in `op/audio`."""
        found = set()
        for mount, folder, _ in self._folders:
            own = Path(self._file).parent if self._file else None
            if group.split("/")[0] == mount and folder != own:
                start = folder / group.removeprefix(mount).lstrip("/")
                found |= {path.relative_to(start).with_suffix("").as_posix() for path in start.rglob("*.yaml")}
        return sorted(found)

    def load_config(self, config_path: str) -> ConfigResult:
        """One vetted file, as Hydra wants it."""
        self._reads += 1
        if self._reads > _MOST_READS:
            raise SettingError(f"defaults: more than {_MOST_READS} entries, or a recipe is among its own")
        place = self.place(config_path)
        if place is None:
            group, _, name = config_path.rpartition("/")
            raise SettingError(f"{group}: {name}: no such name{did_you_mean(name, self.names(group))}")
        if config_path not in self._read:
            self._read[config_path] = self._load(config_path, *place)
        return self._read[config_path]

    def _load(self, config_path: str, path: Path, shown: str) -> ConfigResult:
        data, package = read_yaml(path, shown)
        group, inside, _ = config_path.partition("/")
        if inside and group == "recipe":
            package = "_global_"
            self._check_recipe(data, shown)
        elif inside and (package or "defaults" in data):
            raise SettingError(f"{shown}: only a recipe may have {'@package' if package else 'defaults'}")
        defaults = OmegaConf.create(data.pop("defaults", []))
        listed = self._create_defaults_list(config_path, defaults)
        return ConfigResult("", shown, OmegaConf.create(data), {"package": package}, listed)

    def _check_recipe(self, data: dict[str, Any], shown: str) -> None:
        for key in data:
            if key not in (*RECIPE_KEYS, "defaults"):
                raise SettingError(f"{shown}: {key}: no key of a recipe{did_you_mean(key, RECIPE_KEYS)}")
        for key in ("steps", "sets", "gates"):
            if not isinstance(data.get(key) or {}, dict):
                raise SettingError(f"{shown}: {key}: {data[key]!r}: expected a mapping")
        entries = data.get("defaults", [])
        if not isinstance(entries, list):
            raise SettingError(f"{shown}: defaults: {entries!r}: expected a list, such as [speech/car_noise, _self_]")
        data["defaults"] = [self._entry(entry, f"{shown}: defaults: {_told(entry)}") for entry in entries]

    def _entry(self, entry: Any, where: str) -> Any:
        """A defaults entry that Hydra will understand from any recipe: groups from the root, recipes by full name."""
        if entry == "_self_":
            return entry
        key, value = next(iter(entry.items())) if isinstance(entry, dict) and len(entry) == 1 else (entry, "")
        step = _STEP_ENTRY.fullmatch(key) if isinstance(key, str) else None
        if step:
            known = self.names(step[2])
            for name in value if isinstance(value, list) else [value]:
                if isinstance(entry, dict) and name is not None and name not in known:
                    raise SettingError(f"{where}: {name}: no such part of {step[2]}{did_you_mean(str(name), known)}")
            if isinstance(entry, dict):
                return {f"{step[1]}/{step[2]}@{step[3]}": value}
            if not step[1] and self.place(step[2]):
                return f"/{step[2]}@{step[3]}"
        recipe = f"{key}/{value}".rstrip("/").removeprefix("recipe/").removeprefix("/recipe/") if not step else ""
        if isinstance(key, str) and NAME.fullmatch(recipe) and recipe.split("/")[0] not in (*_GROUPS, "hydra"):
            if self.place(f"recipe/{recipe}"):
                return f"/recipe/{recipe}"
            raise SettingError(f"{where}: no such recipe{did_you_mean(recipe, self.names('recipe'))}")
        raise SettingError(
            f"{where}: expected a recipe, such as speech/car_noise, or a step, such as /op/audio@steps.mix: mix"
        )

    def group_exists(self, config_path: str) -> bool:
        """Whether a name is a folder of names."""
        return config_path in ("recipe", "sink") or (config_path.startswith("op/") and bool(self.names(config_path)))

    def config_exists(self, config_path: str) -> bool:
        """Whether a name is a file."""
        return self.place(config_path) is not None

    def get_group_options(self, group_name: str, results_filter: ObjectType | None = ObjectType.CONFIG) -> list[str]:
        """The names in a group."""
        return self.names(group_name)

    def get_sources(self) -> list[Any]:
        """Nothing: messages name files instead."""
        return []

    def get_schema_source(self) -> Any:
        """No schema."""
        return _NoSchema()
