"""What a training wrote, whatever it is called: a table of predictions of the rows that it was asked for."""

from __future__ import annotations

from pathlib import Path

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.rows import predictions
from sliceforge.engine.paths import shown

MAGIC = b"PAR1"


def answered(written: Path, log: Path, ids: frozenset[str]) -> str:
    """The name of what a training wrote, by its content, once it is known to be predictions of the rows.

    Args:
        written: what the command was told to write.
        log: what it printed.
        ids: of the rows.

    Raises:
        SettingError: nothing was written, it cannot be read, or it is of other rows.
    """
    if not written.is_file() or not written.stat().st_size:
        raise SettingError(f"train: the command wrote no {{predictions}}; see {log}")
    path = written.with_suffix(suffix(written))
    written.rename(path)
    said = frozenset(predictions.load(str(path), "train: {predictions}").ids.tolist())
    lacking = f"of {len(ids)} evaluation rows are not in it"
    for some, what in ((ids - said, lacking), (said - ids, "ids are not evaluated ones")):
        if some:
            told = f"{len(some)} {what}, such as {shown(min(some), 60)!r}"
            raise SettingError(f"train: {{predictions}}: {told}; expected ids as {{eval}} has them")
    return path.name


def suffix(path: Path) -> str:
    """What a table's content is: .parquet, .jsonl or .csv."""
    with path.open("rb") as file:
        head = file.read(64)
    return ".parquet" if head.startswith(MAGIC) else ".jsonl" if head.lstrip()[:1] == b"{" else ".csv"
