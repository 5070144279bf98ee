"""An audit finds whatever was planted in a run, wherever it was planted."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from signals import voice

from sliceforge.engine.audit import audit
from sliceforge.engine.cli import main
from sliceforge.engine.compose import compose


def found(run: Path, *more: str) -> list[str]:
    _, findings = audit(compose("audit", [f"run={run}", "share=0", *more]))
    return findings


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight clips and two of them held out."""
    folder = tmp_path_factory.mktemp("audited")
    for i in range(8):
        soundfile.write(folder / f"{i}.wav", voice(0.4, 8000, 90 + 9 * i), 8000, subtype="PCM_16")
    groups, splits = [f"take{i // 2}" for i in range(8)], ["train"] * 6 + ["test"] * 2
    names = [f"{i}.wav" for i in range(8)]
    pq.write_table(pa.table({"path": names, "split": splits, "group": groups}), folder / "table.parquet")
    return folder


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bank")
    for i in range(3):
        sound = np.random.default_rng(i).normal(0, 0.05, 8000)
        soundfile.write(folder / f"n{i}.wav", sound, 8000, subtype="PCM_16")
    return folder


@pytest.fixture(scope="module")
def clean(data: Path, bank: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(data, bank, tmp_path_factory.mktemp("runs") / "RUN", "sink=folder")


def made(data: Path, bank: Path, out: Path, *more: str) -> Path:
    command = ["generate", "recipe=speech/car_noise", f"data={data}/table.parquet", f"banks.noise={bank}"]
    assert main([*command, f"out={out}", "steps.mix.source=bank", "workers=1", "seed=2", *more]) == 0
    return out


@pytest.fixture
def run(clean: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(clean, tmp_path / "RUN"))


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the first row of a table, and nothing else of its file."""
    table = pq.read_table(path)
    rows = table.to_pylist()
    change(rows[0])
    pq.write_table(pa.Table.from_pylist(rows, table.schema), path)


def test_a_run_as_it_was_made_has_nothing_to_find(clean: Path) -> None:
    assert found(clean) == []
    assert main(["audit", f"run={clean}", "share=1"]) == 0


@pytest.mark.parametrize("pattern", ["items/*.flac", "items/*.json"])
def test_one_byte_of_any_file_is_found(pattern: str, run: Path) -> None:
    path = sorted(run.glob(pattern))[0]
    contents = bytearray(path.read_bytes())
    contents[len(contents) // 2] ^= 1
    path.write_bytes(contents)
    assert any("files are not those" in finding for finding in found(run))
    assert main(["audit", f"run={run}", "share=0"]) == 1


def test_one_byte_of_a_mask_or_of_a_shard_is_found(strips: Path, tmp_path: Path) -> None:
    for sink, pattern in (("folder", "**/*.mask.png"), ("webdataset", "**/*.tar")):
        out = tmp_path / sink
        command = ["generate", "recipe=steel/scratches", f"data={strips}", f"out={out}", "workers=1", "count=3"]
        assert main([*command, f"sink={sink}"]) == 0
        assert found(out) == []
        path = sorted(out.glob(pattern))[0]
        contents = bytearray(path.read_bytes())
        contents[-len(contents) // 2] ^= 1
        path.write_bytes(contents)
        assert found(out)


@pytest.mark.parametrize("name", ["got.snr", "asked.snr", "snr"])
def test_a_wrong_snr_in_the_manifest_is_found(name: str, run: Path) -> None:
    rewrite(run / "manifest.parquet", lambda row: row.update({name: row[name] + 0.5}))
    assert any(f"{name} is" in finding for finding in found(run))


def test_a_wrong_snr_in_the_plan_is_found(run: Path) -> None:
    rewrite(run / "plan-v001.parquet", lambda row: row.update({"mix.snr": row["mix.snr"] + 0.5}))
    findings = found(run)
    assert any("mix.snr is" in finding and "is drawn" in finding for finding in findings)
    assert any(": snr is" in finding for finding in findings)


def test_a_wrong_snr_in_receipt_and_manifest_alike_is_found_by_making_it_again(run: Path) -> None:
    receipt = next((run / "receipts").iterdir())
    notes = pq.read_schema(receipt).metadata
    for path in (receipt, run / "manifest.parquet"):
        rewrite(path, lambda row: row.update({"got.snr": row["got.snr"] + 0.05}))
    table = pq.read_table(receipt)
    pq.write_table(table.replace_schema_metadata(notes), receipt)
    assert any("was not made of the receipts" in finding for finding in found(run))
    assert any("got.snr is" in finding for finding in found(run, "share=1"))


def test_a_parent_that_is_held_out_now_is_found(run: Path, data: Path, tmp_path: Path) -> None:
    moved = Path(shutil.copytree(data, tmp_path / "data"))
    said = json.loads((run / "log" / "command.json").read_text())
    said["given"]["data"] = str(moved / "table.parquet")
    (run / "log" / "command.json").write_text(json.dumps(said))
    assert found(run) == []
    table = pq.read_table(moved / "table.parquet")
    splits = ["test", *table["split"].to_pylist()[1:]]
    pq.write_table(table.set_column(1, "split", pa.array(splits)), moved / "table.parquet")
    findings = found(run)
    assert [one for one in findings if one.startswith("0~1: its parent 0 belongs to the split test")]
    assert [one for one in findings if one.startswith("1~1: its group take0 has items in the split test")]
    assert len(findings) == 3  # the item's own group, too


def test_parents_of_the_test_split_are_found(data: Path, bank: Path, tmp_path: Path) -> None:
    out = made(data, bank, tmp_path / "RUN", "parents=split = 'test'", "steps.mix.source=cabin")
    assert sorted(found(out)) == [f"{i}~1: its parent belongs to the split test" for i in (6, 7)]


def test_a_noise_whose_group_is_held_out_is_found(run: Path, bank: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(bank, tmp_path / "bank"))
    names = [f"n{i}.wav" for i in range(3)]
    pq.write_table(pa.table({"path": names, "group": ["street", "take3", "street"]}), other / "noise.parquet")
    findings = found(run, f"banks.noise={other}/noise.parquet")
    used = [row["id"] for row in pq.read_table(run / "plan-v001.parquet").to_pylist() if row["mix.item"] == "n1"]
    assert used
    for item in used:
        assert any(one.startswith(f"{item}: mix: n1 of banks.noise") for one in findings)
    assert not any("n0 of banks" in one or "n2 of banks" in one for one in findings)
