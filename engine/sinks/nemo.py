"""NeMo: clips and a `manifest.jsonl` of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from sliceforge.engine.filing import Files, Whole, facts
from sliceforge.engine.item import Item, line
from sliceforge.engine.sinks.lhotse import TEXTS, text


@dataclass(frozen=True)
class Nemo(Files):
    """Clips in `audio/`, and `manifest.jsonl`: `audio_filepath`, relative to it, `duration`, `text`, `label`, `id`.

    What else the run's manifest says plainly, such as `speaker`, `noise` and `snr`, follows.
    """

    kinds: ClassVar[tuple[str, ...]] = ("audio",)
    folder: ClassVar[str] = "audio"

    def part(self, item: Item, path: str) -> Mapping[str, Any]:
        return {"seconds": item.row["got.seconds"]}

    def whole(self, run: Path, table: pa.Table) -> Iterator[Whole]:
        yield run / "manifest.jsonl", lambda: map(line, self._lines(run, table))

    def _lines(self, run: Path, table: pa.Table) -> Iterator[dict[str, Any]]:
        for row, part in self.rows(run, table):
            plain = {name: value for name, value in facts(row).items() if name not in TEXTS}
            said = text(row)
            own = {"id": row["id"], "audio_filepath": row["path"], "duration": part["seconds"]}
            yield {**plain, **own, "text": "" if said is None else said}
