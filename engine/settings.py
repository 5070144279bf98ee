"""What each setting of a verb may be; the settings of steps are checked by the operators themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sliceforge.engine.errors import SettingError, did_you_mean

Rule = tuple[Callable[[Any], bool], str, str]


def _whole(low: int, none: bool = False) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        return (none and value is None) or (isinstance(value, int) and not isinstance(value, bool) and value >= low)

    return fits


def _share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _here(value: Any) -> bool:
    return "://" not in str(value)


def names_device(value: Any) -> bool:
    """Whether a value is auto, cpu, cuda or cuda:N."""
    return isinstance(value, str) and re.fullmatch(r"auto|cpu|cuda(:\d+)?", value) is not None


def _devices(value: Any) -> bool:
    return names_device(value) or (isinstance(value, list) and bool(value) and all(map(names_device, value)))


def _packages(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) and name.isidentifier() for name in value)


def _sink(value: Any) -> bool:
    return isinstance(value, dict)


def _one_of(words: Sequence[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in words


CHOICES = {
    "way": ("all", "half"),
    "sink.kind": ("webdataset", "folder", "classes", "coco", "yolo", "voc", "lhotse", "nemo"),
    "sink.audio": ("flac", "wav"),
    "sink.image": ("png", "jpeg"),
    "sink.segmentation": ("rle", "polygon"),
}
OWN = ("sink.audio", "sink.image", "sink.segmentation")
"""Settings that some sinks have."""


_RULES: dict[str, Rule] = {
    "depth": (lambda value: _whole(1)(value) and value <= 3, "1, 2 or 3", "2"),
    "q": (lambda value: _share(value) and 0 < value < 1, "a rate between 0 and 1", "0.05"),
    "seed": (_whole(0), "a whole number from 0", "7"),
    "out": (_here, "a place on this machine", "RUN"),
    "variants": (_whole(1, none=True), "a whole number from 1, or null", "4"),
    "count": (_whole(1, none=True), "a whole number from 1, or null", "5000"),
    "device": (names_device, "auto, cpu, cuda or cuda:N", "cpu"),
    "workers": (_whole(1, none=True), "a whole number from 1, or null for one per core", "4"),
    "batch": (_whole(1), "a whole number from 1", "64"),
    "rounds": (_whole(1), "a whole number from 1", "11"),
    "shard": (_whole(1), "a whole number from 1", "250"),
    "retries": (_whole(0), "a whole number from 0", "3"),
    "max_rejects": (_share, "a share from 0 to 1", "0.01"),
    "min_yield": (_share, "a share from 0 to 1", "0.9"),
    "share": (_share, "a share from 0 to 1", "0.05"),
    "keep_originals": (_flag, "true or false", "true"),
    "allow_other_cpu": (_flag, "true or false", "true"),
    "report": (_flag, "true or false", "false"),
    "stems": (_flag, "true or false", "true"),
    "trust": (_packages, "a list of packages", "[my_package]"),
    "sink": (_sink, "settings", "folder"),
    **{key: (_one_of(words), " or ".join(words), words[0]) for key, words in CHOICES.items()},
}

_OF_BENCH: dict[str, Rule] = {"device": (_devices, "auto, cpu, cuda or cuda:N, or several", "[cpu,cuda]")}


def check(verb: str, config: Mapping[str, Any]) -> None:
    """Refuse a verb's settings that are of the wrong kind or out of bounds.

    Args:
        verb: the verb.
        config: what was composed for it.

    Raises:
        SettingError: one line that names key, value, what was expected and an example.
    """
    rules = _RULES | _OF_BENCH if verb == "bench" else _RULES
    for key, (fits, expected, example) in rules.items():
        root, _, inner = key.partition(".")
        if root not in config:
            continue
        if key in OWN and inner not in config[root]:
            continue
        value = config[root].get(inner) if inner else config[root]
        if not fits(value):
            words = CHOICES.get(key, ())
            near = did_you_mean(str(value), words) if words else ""
            near = near if "did you mean" in near else ""
            raise SettingError(f"{key}: {value!r}: expected {expected}, such as {key}={example}{near}")
    for key in config.get("sink", {}):
        if f"sink.{key}" not in _RULES:
            raise SettingError(f"sink.{key}: no such setting{did_you_mean(key, config['sink'])}")
