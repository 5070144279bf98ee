"""Lhotse: a RecordingSet and a SupervisionSet beside the clips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from sliceforge.engine.filing import Files, Whole, facts, packed
from sliceforge.engine.item import Item, line

TEXTS = ("transcript", "text")
"""Columns that are what is said, in the order of preference."""

OWN = ("language", "speaker", "gender")
"""Columns that a supervision has a field for."""


@dataclass(frozen=True)
class Lhotse(Files):
    """Clips in `audio/`, `recordings.jsonl.gz` and `supervisions.jsonl.gz`; paths are relative to the run.

    `RecordingSet.from_file("recordings.jsonl.gz").with_path_prefix("RUN")` reads them from anywhere. A supervision is
    a whole clip; its `custom` is what else the manifest says, with the label. A column `words`, `alignment` or
    `alignments` of `{start, end, word}` is its alignment of kind `word`.
    """

    kinds: ClassVar[tuple[str, ...]] = ("audio",)
    folder: ClassVar[str] = "audio"

    def part(self, item: Item, path: str) -> Mapping[str, Any]:
        rate = int(item.row["rate"])
        return {"rate": rate, "samples": round(item.row["got.seconds"] * rate)}

    def whole(self, run: Path, table: pa.Table) -> Iterator[Whole]:
        yield run / "recordings.jsonl.gz", lambda: packed(map(line, self._recordings(run, table)))
        yield run / "supervisions.jsonl.gz", lambda: packed(map(line, self._supervisions(run, table)))

    def _recordings(self, run: Path, table: pa.Table) -> Iterator[dict[str, Any]]:
        for row, part in self.rows(run, table):
            yield {
                "id": row["id"],
                "sources": [{"type": "file", "channels": [0], "source": row["path"]}],
                "sampling_rate": part["rate"],
                "num_samples": part["samples"],
                "duration": part["samples"] / part["rate"],
                "channel_ids": [0],
            }

    def _supervisions(self, run: Path, table: pa.Table) -> Iterator[dict[str, Any]]:
        for row, part in self.rows(run, table):
            own = {name: str(row[name]) for name in OWN if row.get(name) is not None}
            said = text(row)
            own |= {"text": said} if said is not None else {}
            words = _words(row)
            left = {name: value for name, value in facts(row).items() if name not in (*OWN, *TEXTS)}
            yield {
                "id": row["id"],
                "recording_id": row["id"],
                "start": 0.0,
                "duration": part["samples"] / part["rate"],
                "channel": 0,
                **own,
                **({"alignment": {"word": words}} if words else {}),
                "custom": left,
            }


def text(row: Mapping[str, Any]) -> str | None:
    """What is said in an item, or None where its row does not say."""
    return next((str(row[name]) for name in TEXTS if row.get(name) is not None), None)


def _words(row: Mapping[str, Any]) -> list[list[Any]]:
    """[word, start, duration, None] of each part of a row's alignment that says all of it."""
    for name in ("words", "alignment", "alignments"):
        parts = [part for part in row.get(name) or () if isinstance(part, Mapping)]
        words = [(part.get("word") or part.get("text") or part.get("symbol"), part) for part in parts]
        whole = [(word, one["start"], one["end"]) for word, one in words if word and _timed(one)]
        if whole:
            return [[str(word), start, round(end - start, 6), None] for word, start, end in whole]
    return []


def _timed(part: Mapping[str, Any]) -> bool:
    return all(isinstance(part.get(name), int | float) for name in ("start", "end"))
