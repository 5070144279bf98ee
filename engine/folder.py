"""The run's folder: its lock, what it was asked to be, and whether a command may go on with it."""

from __future__ import annotations

import fcntl
import json
import platform
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import soundfile
import yaml

from sliceforge.engine import commit
from sliceforge.engine.cache import source_stamp
from sliceforge.engine.device import CPU
from sliceforge.engine.errors import RunError, SettingError
from sliceforge.engine.paths import shown

LIBRARIES = (
    "numpy",
    "scipy",
    "numba",
    "soundfile",
    "pillow",
    "pyarrow",
    "torch",
    "torchaudio",
    "torchvision",
    "kornia",
)

HOST = ("cpu", "device", "versions", "sliceforge", "kernels_sha256")
"""What `allow_other_cpu` lets differ."""

UNSAID = {"device": CPU}
"""What is meant where run.yaml does not say it."""


def open_folder(out: str) -> Path:
    """The run's folder, made where it is missing.

    Raises:
        SettingError: it cannot be made.
    """
    run = Path(out)
    try:
        out.encode()
        (run / "log").mkdir(parents=True, exist_ok=True)
    except UnicodeEncodeError:
        raise SettingError(f"out: {shown(out)}: is not UTF-8 text; expected a name such as out=RUN") from None
    except OSError as error:
        raise SettingError(f"out: {out}: {error.strerror}; expected a folder that can be written") from None
    return run


@contextmanager
def locked(run: Path) -> Iterator[None]:
    """Hold the run's lock; the system lets go of it when the process ends, however it ends.

    Raises:
        RunError: another process holds it.
    """
    with (run / "log" / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunError(f"out: {run}: another process is writing this run") from None
        yield


def host(device: str = CPU) -> dict[str, Any]:
    """The CPU's type, the card where items are made on one, and the versions and sources that bytes depend on.

    Args:
        device: as `Device.recorded` says it.
    """
    on_card = device != CPU
    return {
        "cpu": _cpu(),
        **({"device": device} if on_card else {}),
        "versions": {
            "python": platform.python_version(),
            "libsndfile": soundfile.__libsndfile_version__,
            "zlib": zlib.ZLIB_RUNTIME_VERSION,
            **{name: version(name) for name in (*LIBRARIES, *(("numba-cuda",) if on_card else ()))},
        },
        "sliceforge": version("sliceforge"),
        "kernels_sha256": source_stamp(),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{platform.machine()} {named[0] if named else platform.processor()}".strip()


def load(run: Path) -> dict[str, Any]:
    """What run.yaml says.

    Raises:
        SettingError: there is no run.
    """
    try:
        found = yaml.safe_load((run / "run.yaml").read_text("utf-8"))
    except OSError:
        raise SettingError(f"run: {run}: no run.yaml there; expected the folder of a run, such as run=RUN") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise SettingError(f"run: {run}: its run.yaml cannot be read") from None
    if not isinstance(found, dict):
        raise SettingError(f"run: {run}: its run.yaml cannot be read")
    return found


def filled(run: Path) -> bool:
    """Whether anything is there yet, beside what is written before the first plan."""
    there = {one.name for one in run.iterdir() if not one.name.startswith(commit.TEMPORARY)}
    return bool(there - {"log", "run.yaml"})


def begun(run: Path) -> dict[str, Any] | None:
    """What run.yaml says of a run that has begun; None before its first plan.

    Until then it has decided nothing: a setting may have been wrong, and may be put right.
    """
    return load(run) if (run / "run.yaml").exists() and filled(run) else None


def agree(run: Path, wanted: Mapping[str, Any], target: Mapping[str, int | None], other_cpu: bool = False) -> None:
    """Begin a run, or go on with the one that is there; how many items it has may grow.

    Args:
        wanted: all that decides the bytes of an item: no host's name, path, clock or speed.
        target: `variants` and `count`, how many are wanted.
        other_cpu: go on though the CPU or the versions differ.

    Raises:
        SettingError: the folder holds something else; what differs is named.
    """
    path, there = run / "run.yaml", begun(run)
    if there is not None:
        before = {name: there.pop(name, None) for name in target}
        _compare(run, there, json.loads(json.dumps(wanted)), HOST if other_cpu else ())
        _grown(run, before, target)
        wanted = there
    elif filled(run):
        raise SettingError(f"out: {run}: is not empty and holds no run; name another folder, such as out=RUN2")
    whole = yaml.safe_dump({**wanted, **target}, sort_keys=False, allow_unicode=True).encode()
    if not path.exists() or path.read_bytes() != whole:
        with commit.committed(path) as file:
            file.write(whole)


def _compare(run: Path, there: Mapping[str, Any], wanted: Mapping[str, Any], free: tuple[str, ...]) -> None:
    # The host comes last, and its card before the versions that come with it.
    names = [name for name in (*there, *wanted) if name not in HOST]
    for name in dict.fromkeys([*names, *HOST]):
        was, now = there.get(name, UNSAID.get(name)), wanted.get(name, UNSAID.get(name))
        if name not in free and was != now:
            what = _difference(name, was, now)
            tail = "; allow_other_cpu=true goes on all the same" if name in HOST else ""
            raise SettingError(f"out: {run}: holds another run: {what}; name another folder{tail}")


def _difference(name: str, was: Any, now: Any) -> str:
    """The first leaf that differs, in words."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*was, *now]):
            if was.get(key) != now.get(key):
                return _difference(f"{name}.{key}", was.get(key), now.get(key))
    shown = [_short(value) for value in (was, now)]
    return f"{name.removeprefix('recipe.')} was {shown[0]}, now {shown[1]}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:28]}…{text[-28:]}"


def _grown(run: Path, before: Mapping[str, int | None], target: Mapping[str, int | None]) -> None:
    if before["count"] is not None and target["count"] is not None and target["count"] < before["count"]:
        raise SettingError(f"count: {target['count']}: the run has {before['count']} already; it can only grow")
    if target["count"] is None:
        have = len(list(run.glob("plan-v*.parquet"))) if before["count"] is not None else before["variants"] or 1
        if (target["variants"] or 1) < have:
            raise SettingError(f"variants: {target['variants'] or 1}: the run has {have} already; it can only grow")
    elif before["count"] is None:
        raise SettingError(f"count: {target['count']}: the run was asked for whole variants; name another folder")
