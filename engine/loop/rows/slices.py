"""slices.yaml: weak slices under names, each with the figures and the cause that `find` gave it, or written by hand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from sliceforge.engine import commit, predicate
from sliceforge.engine.errors import SettingError, did_you_mean
from sliceforge.engine.paths import shown

VERSION = 1
CAUSES = ("nuisance", "scarcity", "labels", "neither")
EXAMPLE = "slices: [{name: car, where: \"noise = 'car'\"}]"
_NAME = re.compile(r"[a-z0-9_]{1,80}")
_FIGURES = ("rows", "error", "reference", "gap", "p", "q", "mdg", "recoverable")


@dataclass(frozen=True)
class Range:
    """Where the values of a column lie: 5 %, half and 95 % of them are below."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class WeakSlice:
    """A slice of slices.yaml; one that was written by hand may have a name and a predicate alone.

    Args:
        name: `[a-z0-9_]+`, its own.
        where: SQL predicate over metadata and measured attributes.
        rows: of the slice, on what it was judged by.
        error, reference: the mean loss in the slice and in the rest.
        gap: the difference, and interval: its 95 %.
        p, q: one-sided, and adjusted.
        mdg: the least gap that a slice of this size shows with 80 % power.
        recoverable: accuracy won where the slice becomes as good as the rest.
        cause: one of `CAUSES`; None: nobody looked.
        evidence: for the cause, in plain words.
        attributes: column → where the slice's rows lie.
    """

    name: str
    where: str
    rows: int | None = None
    error: float | None = None
    reference: float | None = None
    gap: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    q: float | None = None
    mdg: float | None = None
    recoverable: float | None = None
    cause: str | None = None
    evidence: tuple[str, ...] = ()
    attributes: Mapping[str, Range] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """For YAML: what is known, numbers with six digits."""
        found: dict[str, Any] = {"name": self.name, "where": self.where}
        found |= {name: _short(value) for name in _FIGURES if (value := getattr(self, name)) is not None}
        if self.interval:
            found["interval"] = [_short(end) for end in self.interval]
        found["cause"] = self.cause
        found["evidence"] = list(self.evidence)
        found["attributes"] = {
            column: {end.name: _short(getattr(one, end.name)) for end in fields(Range)}
            for column, one in self.attributes.items()
        }
        return found


def read(path: str | Path, key: str = "slices") -> list[WeakSlice]:
    """The slices of a file, in its order.

    Args:
        path: slices.yaml.
        key: the setting that named it, for messages.

    Raises:
        SettingError: one line: what is wrong with which slice, what was expected, an example.
    """
    where = f"{key}: {shown(str(path))}"
    entries = _loaded(path, where).get("slices")
    if not isinstance(entries, list):
        raise SettingError(f"{where}: has no list of slices; expected {EXAMPLE}")
    found = [_slice(entry, f"{where}: slice {at}") for at, entry in enumerate(entries, 1)]
    names = [one.name for one in found]
    for at, name in enumerate(names):
        if name in names[:at]:
            raise SettingError(f"{where}: two slices are called {name}; expected a name of its own for each")
    return found


def header(path: str | Path, key: str = "slices") -> dict[str, Any]:
    """What a file says of all its slices: `of` (rows, error, kind of loss …) and `labels`; {} where it says nothing."""
    found = _loaded(path, f"{key}: {shown(str(path))}")
    return {name: value for name, value in found.items() if name != "slices"}


def write(path: Path, slices: Sequence[WeakSlice], of: Mapping[str, Any], labels: Mapping[str, Any] | None) -> None:
    """Write slices.yaml, whole and by rename; the same slices give the same bytes.

    Args:
        path: of the file.
        slices: in the order of what is to be won.
        of: what they were found in.
        labels: what the label gate says of all rows; None: there was nothing to judge by.
    """
    plain = {"version": VERSION, "of": of, "labels": labels, "slices": [one.plain() for one in slices]}
    text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=110)
    with commit.committed(path) as file:
        file.write(text.encode())


def _loaded(path: str | Path, where: str) -> dict[str, Any]:
    try:
        found = yaml.safe_load(Path(path).read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        raise SettingError(f"{where}: {reason}; expected a file of find, such as slices.yaml") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise SettingError(f"{where}: is not YAML: {' '.join(str(error).split())[:120]}; such as {EXAMPLE}") from None
    if not isinstance(found, dict):
        raise SettingError(f"{where}: is no mapping; expected {EXAMPLE}")
    if found.get("version", VERSION) != VERSION:
        raise SettingError(f"{where}: version {found['version']!r}; expected version: {VERSION}")
    return found


def _slice(entry: Any, where: str) -> WeakSlice:
    if not isinstance(entry, dict) or not all(isinstance(key, str) for key in entry):
        raise SettingError(f"{where}: is no mapping; expected {EXAMPLE}")
    known = [one.name for one in fields(WeakSlice)]
    for name in entry:
        if name not in known:
            raise SettingError(f"{where}: {shown(name, 40)}: no such entry{did_you_mean(name, known)}")
    name, condition = entry.get("name"), entry.get("where")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise SettingError(f"{where}: name {name!r}; expected letters a to z, digits and _, such as car_noise")
    if not isinstance(condition, str):
        raise SettingError(f"{where}: where {condition!r}; expected a condition, such as noise = 'car' AND snr < 10")
    predicate.columns(condition, f"{where}: where")
    cause, evidence = entry.get("cause"), entry.get("evidence") or []
    if cause is not None and cause not in CAUSES:
        raise SettingError(f"{where}: cause {cause!r}; expected null or one of {', '.join(CAUSES)}")
    if not isinstance(evidence, list) or not all(isinstance(line, str) for line in evidence):
        raise SettingError(f"{where}: evidence; expected a list of lines, such as [only 6 training items]")
    figures = {name: _number(entry[name], f"{where}: {name}") for name in _FIGURES if entry.get(name) is not None}
    if "rows" in figures:
        figures["rows"] = int(figures["rows"])
    ends = entry.get("interval")
    if ends is not None and not (isinstance(ends, list) and len(ends) == 2):
        raise SettingError(f"{where}: interval {ends!r}; expected two numbers, such as [0.1, 0.2]")
    interval = None if ends is None else tuple(_number(end, f"{where}: interval") for end in ends)
    ranges = _ranges(entry.get("attributes") or {}, where)
    more: dict[str, Any] = {"interval": interval, "cause": cause, "evidence": tuple(evidence), "attributes": ranges}
    return WeakSlice(name, condition, **figures, **more)


def _ranges(given: Any, where: str) -> dict[str, Range]:
    ends = [one.name for one in fields(Range)]
    if not isinstance(given, dict) or not all(
        isinstance(one, dict) and sorted(one) == sorted(ends) for one in given.values()
    ):
        raise SettingError(f"{where}: attributes; expected such as snr_est: {{low: -2, median: 3, high: 8}}")
    return {
        str(column): Range(*(_number(one[end], f"{where}: attributes: {column}: {end}") for end in ends))
        for column, one in given.items()
    }


def _number(value: Any, where: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SettingError(f"{where}: {value!r}; expected a number, such as 0.25")
    return value


def _short(value: float) -> float:
    return value if isinstance(value, int) else float(f"{float(value):.6g}")
