"""Tables from outside: types, damage and sizes, each wrong one a line."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from listing import refused, rows, table

from sliceforge.engine import doubles, parquet, tables
from sliceforge.engine.manifest import digest, read

TEXT = "id,path,label,snr,when\n007,b.wav,01,3.5,=cmd()\nx,./sub//a.wav,,,NA\n,c.wav,null,nan,z\n"


def test_csv_types_are_kept_and_ids_and_labels_are_text(tmp_path: Path) -> None:
    found = read(table(tmp_path, "t.csv", TEXT), "audio")
    assert rows(found) == [
        ("007", "b.wav", "01", None, None),
        ("c", "c.wav", "null", None, None),
        ("x", "sub/a.wav", None, None, None),
    ]
    assert found.table["when"].to_pylist() == ["=cmd()", "z", "NA"]
    assert found.table["snr"].type == pa.float64()
    assert found.root == tmp_path.resolve()


def test_a_cell_of_several_lines_is_one_cell(tmp_path: Path) -> None:
    found = read(table(tmp_path, "t.csv", 'path,text\na.wav,"one\ntwo"\nb.wav,"say ""a\nb"""\n'), "audio")
    assert found.table["text"].to_pylist() == ["one\ntwo", 'say "a\nb"']


def test_nemo_lines_are_read_and_extra_json_is_kept(tmp_path: Path) -> None:
    lines = '{"audio_filepath": "a.wav", "duration": 1, "text": "hi"}\n\n{"audio_filepath": "b.wav", "duration": NaN}\n'
    found = read(table(tmp_path, "t.json", "\ufeff" + lines), "audio")
    assert found.table["path"].to_pylist() == ["a.wav", "b.wav"]
    assert found.table["text"].to_pylist() == ["hi", None]
    assert np.isnan(found.table["duration"].to_pylist()[1])
    numbers = '{"path": "a.wav", "label": 7, "x": [1]}\n{"path": "b.wav", "label": "seven", "x": null}\n'
    assert read(table(tmp_path, "n.jsonl", numbers), "audio").table["label"].to_pylist() == ["7", "seven"]


def test_a_dot_in_the_name_of_a_column_becomes_a_line(tmp_path: Path) -> None:
    text = "path,speaker.age,asked.snr,a.b,a_b\na.wav,31,5,1,2\n"
    names = read(table(tmp_path, "t.csv", text), "audio").table.column_names
    assert names[5:] == ["speaker_age", "asked.snr", "a.b", "a_b"]


BAD = {
    "empty.csv": (b"", "is empty"),
    "header.csv": (b"path,label\n", "no rows"),
    "semicolon.csv": (b"path;label\na.wav;go\n", "expected commas"),
    "tab.csv": (b"path\tlabel\na.wav\tgo\n", "expected commas"),
    "column.csv": (b"file,label\na.wav,go\n", "no column 'path'; known: file, label"),
    "near.csv": (b"paths,label\na.wav,go\n", "did you mean paths?"),
    "twice.csv": (b"path,label,label\na.wav,1,2\n", "'label' is there twice"),
    "ragged.csv": (b"path,label\na.wav\n", "cannot be read: CSV parse error"),
    "latin.csv": ("path,label\na.wav,café\n".encode("latin-1"), "cannot be read"),
    "latin2.csv": ("path,city\na.wav,café\n".encode("latin-1"), "'city' is not UTF-8 text"),
    "latin3.csv": ("path,café\na.wav,1\n".encode("latin-1"), "is not UTF-8 text"),
    "utf16.csv": ("path,label\na.wav,go\n".encode("utf-16"), "is not UTF-8 text"),
    "field.csv": (b"path,label\na.wav," + b"x" * 10_000_000 + b"\n", "longer than"),
    "quote.csv": (b'path,label\na.wav,"' + b"x\n" * 1_000_000, "quote"),
    "quote2.csv": (b'path,label\na.wav,go\nb.wav,"go\nc.wav,go\n', "a quote in it is not closed"),
    "wide.csv": (b",".join([b"path", *(b"c%d" % i for i in range(100_000))]) + b"\n", "100001 columns"),
    "wider.csv": (b"path," * 1_000_000 + b"\n", "a first line longer than"),
    "field.jsonl": (b'{"path": "' + b"x" * 10_000_000 + b'"}\n', "longer than"),
    "wide.jsonl": (json.dumps({f"c{i}": 1 for i in range(50_000)}).encode(), "50000 columns"),
    "array.json": (b'[{"path": "a.wav"}]\n', "line 1: expected one JSON object a line"),
    "broken.jsonl": (b'{"path": "a.wav"}\n{"path": \n', "line 2: expected one JSON object a line"),
    "deep.jsonl": (b'{"path": ' + b"[" * 400_000 + b"\n", "deep.jsonl"),
    "latin.jsonl": ('{"path": "café"}'.encode("latin-1"), "line 1 is not UTF-8"),
    "half.jsonl": (b'{"path": "a.wav", "x": "\\ud800"}', "'x'"),
    "mixed.jsonl": (b'{"path": "a", "x": 1}\n{"path": "b", "x": "one"}\n', "'x'"),
    "huge.jsonl": (b'{"path": "a", "x": 1' + b"0" * 300 + b"}", "'x'"),
    "digits.jsonl": (b'{"path": "a", "x": 1' + b"0" * 9000 + b"}", "line 1"),
    "blank.jsonl": (b"\n\n", "no rows"),
    "list.jsonl": (b'{"path": "a.wav", "label": ["a", "b"]}', "label: expected text or numbers"),
    "not.parquet": (b"PAR1 no", "cannot be read"),
    "cut.parquet": (b"PAR1" + b"\0" * 100 + b"PAR1", "cannot be read"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_table_is_one_line(name: str, tmp_path: Path) -> None:
    content, words = BAD[name]
    refused(table(tmp_path, name, content), name, words)


def test_types_of_parquet_become_plain(tmp_path: Path) -> None:
    class Sealed(pa.ExtensionType):
        def __init__(self) -> None:
            super().__init__(pa.int32(), "test.sealed")

        def __arrow_ext_serialize__(self) -> bytes:
            return b""

        @classmethod
        def __arrow_ext_deserialize__(cls, storage: pa.DataType, serialized: bytes) -> "Sealed":
            raise AssertionError("must not run")

    columns = {
        "path": pa.array(["a.wav", "b.wav"], pa.large_string()),
        "label": pa.array([3.0, np.nan]),
        "split": pa.array(["train", "test"]).dictionary_encode(),
        "odd": pa.ExtensionArray.from_storage(Sealed(), pa.array([1, 2], pa.int32())),
        "code": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0" * 16] * 2, pa.binary(16))),
        "blob": pa.array([b"\x80\x04pickle.", None]),
        "nothing": pa.nulls(2),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    found = read(str(tmp_path / "t.parquet"), "audio")
    assert rows(found) == [("a", "a.wav", "3", "train", None), ("b", "b.wav", None, "test", None)]
    kinds = {field.name: field.type for field in found.table.schema}
    assert kinds["odd"] == pa.int32()
    assert kinds["code"] == pa.binary(16)
    assert digest(found) == digest(read(str(tmp_path / "t.parquet"), "audio"))


def same(count: int, text: str) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([text]))


BOMBS = {
    "texts": lambda: {"path": same(300_000, "a.wav"), "text": same(300_000, "x" * 1_000_000)},
    "lists": lambda: {
        "path": same(100, "a.wav"),
        "tags": pa.LargeListArray.from_arrays(
            np.arange(101), pa.array(["y" * 1_000_000], pa.large_string()).take(pa.array(np.zeros(100, int)))
        ),
    },
    "rows": lambda: {"path": same(5_000_000, "a.wav")},
    "numbers": lambda: {
        "path": ["a.wav"],
        "n": pa.ListArray.from_arrays([0, 20_000_000], np.zeros(20_000_000, "i1")),
    },
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_parquet_that_would_be_large_is_refused_before_it_is_decoded(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "MOST_BYTES", 1 << 26)
    data = tmp_path / f"{name}.parquet"
    pq.write_table(pa.table(BOMBS[name]()), data, compression="zstd")
    assert data.stat().st_size < 1 << 20
    default = pa.default_memory_pool()
    pool = pa.proxy_memory_pool(default)
    pa.set_memory_pool(pool)
    try:
        refused(str(data), "expected at most" if name == "rows" else "once it is decoded")
    finally:
        pa.set_memory_pool(default)
    assert pool.max_memory() < 1 << 26


def test_long_tables_are_read_in_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [{"path": f"{i}.wav", **({"late": i} if i > 150 else {})} for i in range(200)]
    data = table(tmp_path, "t.jsonl", "\n".join(map(json.dumps, lines)))
    whole = read(data, "audio")
    before = digest(whole)
    monkeypatch.setattr(tables, "_ROWS", 7)
    monkeypatch.setattr(doubles, "PART", 100)
    assert read(data, "audio").table.equals(whole.table)
    assert digest(read(data, "audio")) == before
    assert whole.table["late"].null_count == 151
