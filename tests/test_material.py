"""The material in the package: what its manifests claim is true of its files."""

import csv
import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import sliceforge.material
from sliceforge.engine.codecs import audio, image

HOME = Path(sliceforge.material.__file__).parent
SCRIPT = HOME.parent / "examples" / "make_material.py"


def rows(folder: str) -> list[dict[str, str]]:
    with (HOME / folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    if not SCRIPT.exists():
        pytest.skip("the examples are not installed with the package")
    spec = importlib.util.spec_from_file_location("make_material", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("folder", "columns", "count"),
    [("speech", "id path label speaker transcript split", 12), ("strips", "id path label coil split", 24)],
)
def test_every_row_has_its_file_and_every_file_its_row(folder: str, columns: str, count: int) -> None:
    found = rows(folder)
    assert list(found[0]) == columns.split()
    assert len(found) == len({row["id"] for row in found}) == count
    files = {path.name for path in (HOME / folder).iterdir()}
    assert files == {row["path"] for row in found} | {"manifest.csv"}
    assert all(value for row in found for value in row.values())
    assert {row["split"] for row in found} == {"train", "test"}


@pytest.mark.parametrize(("folder", "group"), [("speech", "speaker"), ("strips", "coil")])
def test_a_group_is_in_one_split(folder: str, group: str) -> None:
    pairs = {(row[group], row["split"]) for row in rows(folder)}
    assert len(pairs) == len({name for name, _ in pairs})


def test_clips_are_16_khz_mono_at_minus_6_dbfs_with_silent_ends() -> None:
    for row in rows("speech"):
        x, rate = audio.decode(HOME / "speech" / row["path"])
        assert (rate, x.shape[1]) == (16000, 1)
        assert abs(20 * np.log10(np.abs(x).max()) + 6) < 0.1
        assert not x[:1600].any()
        assert not x[-1600:].any()
        assert 0.4 < len(x) / rate < 3
        audio.check_level(x[:, 0])


def test_labels_are_said() -> None:
    assert all(row["label"] in row["transcript"].split() for row in rows("speech"))


def test_strips_are_grey_with_grain_along_the_rolling_direction() -> None:
    for row in rows("strips"):
        strip = image.decode(HOME / "strips" / row["path"])
        assert (strip.shape, strip.dtype) == ((200, 200, 1), np.uint8)
        values = strip[:, :, 0].astype(float)
        assert 90 < values.mean() < 170
        assert 4 < values.std() < 11
        assert values.min() > 0
        assert values.max() < 255
        along, across = np.diff(values, axis=0).std(), np.diff(values, axis=1).std()
        assert along < across


def test_the_script_makes_the_same_strips_again(script: ModuleType) -> None:
    for row in rows("strips"):
        made = script.strip(row["coil"], int(row["id"].removeprefix(f"{row['coil']}_")))
        assert np.array_equal(made, image.decode(HOME / "strips" / row["path"]))


def test_all_of_it_is_small() -> None:
    assert sum(path.stat().st_size for path in HOME.rglob("*") if path.is_file()) < 3 << 20
