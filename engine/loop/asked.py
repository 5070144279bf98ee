"""What a loop was asked for: its settings, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.loop.allocate.budget import APART

FREE = ("out", "jobs", "workers", "dry_run")
"""Settings that decide nothing of how it ends."""

TABLES = ("csv", "parquet")


@dataclass(frozen=True)
class Asked:
    """The settings of `conf/loop.yaml`, which says what each is.

    Raises:
        SettingError: one is missing, or out of bounds.
    """

    train: str
    data: str
    eval: str
    out: str
    budget: int
    recipes: tuple[str, ...] = ()
    pattern: str | None = None
    eval_pattern: str | None = None
    predictions: str | None = None
    banks: Mapping[str, str] | None = None
    seed: int = 0
    seeds: int = 3
    cluster: str | None = None
    apart: tuple[str, ...] = APART
    clean_share: float = 0.4
    most: int = 3
    trial: bool = True
    curves: bool = False
    folds: int = 4
    jobs: int = 1
    workers: int | None = None
    table: str = "csv"
    dry_run: bool = False

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> Asked:
        """From a composed configuration."""
        given: dict[str, Any] = {one.name: config.get(one.name) for one in fields(cls)}
        for name, example in (("data", "TRAIN"), ("eval", "EVAL"), ("out", "LOOP")):
            if not given[name]:
                raise SettingError(f"{name}: is not given; expected such as {name}={example}")
        given["budget"] = _count("budget", config.get("budget"), 1, "1000")
        for name, least, example in (("seeds", 1, "3"), ("most", 1, "3"), ("folds", 0, "4"), ("jobs", 1, "2")):
            given[name] = _count(name, given[name], least, example)
        if given["folds"] == 1:
            raise SettingError("folds: 1: expected 2 or more, or 0 to judge no labels, such as folds=4")
        for name in ("trial", "curves", "dry_run"):
            given[name] = {"true": True, "false": False}.get(str(given[name]), given[name])
            if not isinstance(given[name], bool):
                raise SettingError(f"{name}: {given[name]!r}: expected true or false, such as {name}=true")
        share = given["clean_share"]
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share <= 1:
            raise SettingError(f"clean_share: {share!r}: expected a share above 0 and up to 1, such as 0.4")
        if given["table"] not in TABLES:
            near = did_you_mean(str(given["table"]), TABLES)
            raise SettingError(f"table: {given['table']!r}: expected csv or parquet, such as table=parquet{near}")
        for name, example in (("recipes", "speech/car_noise"), ("apart", "speaker")):
            if not isinstance(given[name], list) or not all(isinstance(one, str) for one in given[name]):
                raise SettingError(f"{name}: {given[name]!r}: expected a list of names, such as {name}=[{example}]")
            given[name] = tuple(given[name])
        return cls(**given)

    def decisive(self) -> dict[str, Any]:
        """What decides how it ends, for `loop.yaml`."""
        own = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in FREE}
        return {**own, "recipes": list(self.recipes), "apart": list(self.apart), "banks": dict(self.banks or {})}


def _count(name: str, value: Any, least: int, example: str) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not text.isascii() or not text.isdigit() or int(text) < least:
        what = "is not given" if value is None else repr(value)
        raise SettingError(f"{name}: {what}: expected a whole number from {least}, such as {name}={example}")
    return int(text)
