"""The steps of the loop: a folder each, done when its receipt is there, found again by the same command."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from sliceforge.engine import commit
from sliceforge.engine.errors import RunError, SettingError
from sliceforge.engine.paths import shown

STEPS = ("baseline", "find", "diagnose", "trial", "allocate", "generate", "retrain", "verify")
RECEIPT = "step.json"

Done = dict[str, Any]
"""What a step found out: plain data, which the next steps go on from."""


def agree(home: Path, wanted: Mapping[str, Any]) -> None:
    """Begin a loop, or go on with the one that is there: `loop.yaml` holds all that decides its end.

    A loop of which nothing is finished, no step and no training, gives way to another: its settings were mended.

    Raises:
        SettingError: the folder holds another loop, or something else; what differs is named.
    """
    path, now = home / "loop.yaml", json.loads(json.dumps(wanted))
    if path.exists():
        try:
            was = yaml.safe_load(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError):
            was = None
        if not isinstance(was, dict):
            raise SettingError(f"out: {home}: its loop.yaml cannot be read; name another folder, such as out=LOOP2")
        if was == now:
            return
        if any(home.glob(f"*/{RECEIPT}")) or any(home.glob("*/trainings/[!.]*")):
            _same(was, now, f"out: {home}: holds another loop")
        for left in (home / "eval.csv", home / "eval.parquet", home / "splits.parquet"):
            left.unlink(missing_ok=True)
        shutil.rmtree(place(home, STEPS[0]), ignore_errors=True)
        _begun(path, now)
    elif {one.name for one in home.iterdir() if not one.name.startswith(commit.TEMPORARY)} - {"log"}:
        raise SettingError(f"out: {home}: is not empty and holds no loop; name another folder, such as out=LOOP2")
    else:
        _begun(path, now)


def _begun(path: Path, settings: Mapping[str, Any]) -> None:
    with commit.committed(path) as file:
        file.write(yaml.safe_dump(dict(settings), sort_keys=False, allow_unicode=True).encode())


def place(home: Path, step: str, again: bool = False) -> Path:
    """The folder of a step.

    Args:
        home: the loop's folder.
        step: one of `STEPS`.
        again: with half of the budget.

    >>> place(Path("LOOP"), "trial").name, place(Path("LOOP"), "verify", again=True).name
    ('4_trial', '8_verify_half')
    """
    return home / f"{STEPS.index(step) + 1}_{step}{'_half' if again else ''}"


def found(folder: Path) -> Done | None:
    """What a finished step found out; None where it is not finished.

    Raises:
        RunError: its receipt is damaged.
    """
    receipt = _receipt(folder)
    return None if receipt is None else receipt["found"]


def done(folder: Path, inputs: Mapping[str, Any], action: Callable[[Path], Done]) -> Done:
    """Do a step, or find that it is done.

    Args:
        folder: of the step; what an interrupted one left there is gone on from.
        inputs: all that it depends on, plain data.
        action: does it; told the folder.

    Raises:
        SettingError: it was done from other inputs; what differs is named.
        RunError: its receipt is damaged.
    """
    now = json.loads(json.dumps(inputs))
    receipt = _receipt(folder)
    if receipt is not None:
        _same(receipt["inputs"], now, f"out: {folder}: was done from something else")
        return dict(receipt["found"])
    folder.mkdir(parents=True, exist_ok=True)
    began = folder / f".{RECEIPT}"
    if began.exists():
        _same(json.loads(began.read_text("utf-8")), now, f"out: {folder}: was begun from something else")
    else:
        _write(began, now)
    made = json.loads(json.dumps(action(folder)))
    _write(folder / RECEIPT, {"inputs": now, "found": made})
    began.unlink()
    return dict(made)


def digest(value: Any) -> str:
    """SHA-256 of plain data, or of a file."""
    if isinstance(value, Path):
        return hashlib.sha256(value.read_bytes()).hexdigest()
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _receipt(folder: Path) -> dict[str, Any] | None:
    path = folder / RECEIPT
    try:
        read = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        read = None
    if not isinstance(read, dict) or not {"inputs", "found"} <= set(read):
        raise RunError(f"{path}: is damaged; without it, the same command does this step again")
    return read


def _write(path: Path, value: Any) -> None:
    with commit.committed(path) as file:
        file.write(json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n")


def _same(was: Mapping[str, Any], now: Mapping[str, Any], where: str) -> None:
    for name in dict.fromkeys([*was, *now]):
        if was.get(name) != now.get(name):
            shorts = [shown(json.dumps(value.get(name), ensure_ascii=False), 80) for value in (was, now)]
            raise SettingError(f"{where}: {name} was {shorts[0]}, now {shorts[1]}; name another folder")
