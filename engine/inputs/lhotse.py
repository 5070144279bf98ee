"""Lhotse: RecordingSets with their SupervisionSets, and CutSets, as lines of JSON, plain or packed."""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sliceforge.engine.errors import InputError, SettingError
from sliceforge.engine.fetch import here
from sliceforge.engine.inputs.listing import MOST_BYTES, Listing, table
from sliceforge.engine.paths import Reject, shown
from sliceforge.engine.tables import MOST_LINE

ENDS = (".jsonl", ".jsonl.gz")
RECORDINGS, SUPERVISIONS = "recordings", "supervisions"

WHOLE = 0.001
"""Seconds by which what covers a recording may differ from it."""


def fits(path: Path, kind: str) -> bool:
    """Whether a file's first line is a recording or a cut."""
    if kind != "audio" or not path.name.lower().endswith(ENDS) or not path.is_file():
        return False
    try:
        first = next(_lines(path, ""), {})
    except SettingError:
        return False
    return "sources" in first or "recording" in first or str(first.get("type", "")).endswith("Cut")


def read(path: Path, kind: str, where: str) -> Listing:
    """Items of a manifest: a cut each, or of recordings a supervision each; one without any is an item by itself.

    Supervisions are those of the file whose name has `supervisions` in place of `recordings`. Sources are files, their
    paths relative to the manifest or absolute below its folder. An item's columns: `id`, `transcript`, `speaker`,
    `language`, `gender`, `duration`, `rate`, `words`, what `custom` says plainly, with `label` and `split`.

    Raises:
        SettingError: it cannot be read, or lists nothing.
    """
    rejects: list[Reject] = []
    beside = path.with_name(path.name.replace(RECORDINGS, SUPERVISIONS))
    said: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    if beside != path and here(beside).is_file():
        for one in _lines(beside, where):
            said[one.get("recording_id")].append(one)
    rows = []
    for line in _lines(path, where):
        try:
            if "sources" in line:
                rows += _of_recording(line, said.get(line.get("id"), []))
            else:
                rows.append(_of_cut(line))
        except InputError as error:
            name = shown(str(line.get("id")))
            rejects.append(Reject(name, None, error.reason, error.detail))
        except (TypeError, ValueError, KeyError, AttributeError, IndexError, OverflowError):
            rejects.append(Reject(shown(str(line.get("id"))), None, "unreadable", "is no recording and no cut"))
    if not rows and not rejects:
        raise SettingError(f"{where}: has no rows; expected a recording or a cut a line")
    return Listing(path.parent.resolve(), table(rows or [dict.fromkeys(("path", "label", "split"))], where), rejects)


def _of_recording(recording: dict[str, Any], said: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    own = _place(recording)
    if not said:
        return [{"id": str(recording["id"]), **own}]
    return [
        {
            "id": str(one["id"]),
            **own,
            **_span(recording, float(one["start"]), float(one["duration"])),
            **_said([one], one["start"]),
        }
        for one in said
    ]


def _of_cut(cut: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(cut.get("recording"), dict):
        raise InputError("unreadable", f"a {shown(str(cut.get('type')), 30)} without a recording of its own")
    recording = cut["recording"]
    span = _span(recording, float(cut["start"]), float(cut["duration"]))
    custom = _plain(cut.get("custom"))
    said = cut.get("supervisions") or []
    words = [word for one in _ordered(said) for word in _words(one, _clock(one, float(cut["start"])))]
    found = _said(said) | ({"words": words} if words else {})
    return {"id": str(cut["id"]), **_place(recording), **span, **custom, **found}


def _place(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Path, rate and duration of a recording.

    Raises:
        InputError: it is no single file, or is changed on the way.
    """
    sources = recording["sources"]
    if len(sources) != 1 or sources[0].get("type") != "file":
        kinds = "+".join(str(one.get("type")) for one in sources)
        raise InputError("unreadable", f"sources of kind {shown(kinds, 40)}; expected one file")
    if recording.get("transforms"):
        raise InputError("unreadable", "a recording with transforms; expected it as it was recorded")
    found = {"path": str(sources[0]["source"]), "rate": int(recording["sampling_rate"])}
    return found | {"duration": float(recording["duration"])}


def _span(recording: Mapping[str, Any], start: float, seconds: float) -> dict[str, Any]:
    """Which part of a recording is meant; nothing where that is the whole."""
    if start <= WHOLE and abs(seconds - float(recording["duration"])) <= WHOLE:
        return {}
    return {"clip_start": start, "clip_seconds": seconds, "duration": seconds}


def _said(supervisions: Sequence[dict[str, Any]], begins: float = 0.0) -> dict[str, Any]:
    """What supervisions say of an item, in their order in time; `begins` is where the item does, on their clock."""
    ordered = _ordered(supervisions)
    found: dict[str, Any] = {}
    for one in ordered:
        found |= _plain(one.get("custom"))
        found |= {name: one[name] for name in ("speaker", "language", "gender") if one.get(name) is not None}
    texts = [str(one["text"]) for one in ordered if one.get("text") is not None]
    found |= {"transcript": " ".join(texts)} if texts else {}
    words = [word for one in ordered for word in _words(one, begins)]
    return found | ({"words": words} if words else {})


def _ordered(supervisions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(supervisions, key=lambda one: float(one.get("start") or 0))


def _clock(one: Mapping[str, Any], start: float) -> float:
    """Where a cut that begins at `start` does so on the clock of a supervision's words: there, or at 0.

    Lhotse itself moves a supervision into its cut and leaves the words on the recording's clock; others move both.
    """
    words = _words(one, 0.0)
    if not words:
        return 0.0
    first = float(one.get("start") or 0)
    last = first + float(one.get("duration") or 0)

    def outside(begins: float) -> float:
        return max(first + begins - words[0]["start"], 0.0) + max(words[-1]["end"] - begins - last, 0.0)

    return start if outside(start) <= outside(0.0) else 0.0


def _words(one: Mapping[str, Any], begins: float) -> list[dict[str, Any]]:
    parts = [(str(part[0]), part[1] - begins, part[2]) for part in (one.get("alignment") or {}).get("word") or []]
    return [{"word": word, "start": round(at, 6), "end": round(at + seconds, 6)} for word, at, seconds in parts]


def _plain(custom: Any) -> dict[str, Any]:
    """The plain values of a `custom`, but for what an item says of itself."""
    own = ("id", "path", "rate", "duration", "transcript", "clip_start", "clip_seconds", "variant", "attempt")
    there = custom.items() if isinstance(custom, dict) else ()
    return {str(name): value for name, value in there if name not in own and isinstance(value, str | int | float)}


def _lines(path: Path, where: str) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines, packed or not.

    Raises:
        SettingError: it cannot be read, or is too large.
    """
    number = 0
    for number, text in enumerate(_texts(path, where), 1):
        try:
            row = json.loads(text)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise SettingError(f"{where}: {shown(path.name, 60)}: line {number}: expected one JSON object a line")
        yield row


def _texts(path: Path, where: str) -> Iterator[bytes]:
    """Lines that are not blank, unpacked in bounded memory."""
    name = shown(path.name, 60)
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS) if path.name.lower().endswith(".gz") else None
    rest, size = b"", 0
    try:
        with here(path).open("rb") as file:
            while True:
                packed = unpacker.unconsumed_tail if unpacker and unpacker.unconsumed_tail else file.read(1 << 16)
                block = unpacker.decompress(packed, MOST_LINE) if unpacker else packed
                size += len(block)
                if size > MOST_BYTES:
                    raise SettingError(f"{where}: {name}: more than {MOST_BYTES >> 20} MiB once it is unpacked")
                if unpacker and unpacker.eof and unpacker.unused_data:
                    raise SettingError(f"{where}: {name}: more than one packed part; expected a single one")
                *whole, rest = (rest + block).split(b"\n")
                if len(rest) > MOST_LINE:
                    raise SettingError(f"{where}: {name}: a line longer than {MOST_LINE} bytes")
                yield from (line for line in whole if line.strip())
                if not packed:
                    break
            if unpacker and not unpacker.eof:
                raise SettingError(f"{where}: {name}: is cut")
    except (OSError, zlib.error) as error:
        raise SettingError(f"{where}: {name}: cannot be read: {shown(str(error), 80)}") from None
    if rest.strip():
        yield rest
