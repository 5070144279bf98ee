"""The material in the package: what its manifests claim is true of its files."""

import csv
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import sliceforge.material
from sliceforge.engine.codecs import audio, image
from sliceforge.engine.compose import load_recipe
from sliceforge.engine.errors import SettingError
from sliceforge.engine.manifest import read

HOME = Path(sliceforge.material.__file__).parent


def rows(folder: str) -> list[dict[str, str]]:
    with (HOME / folder / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    found: ModuleType = pytest.importorskip("make_material", reason="the examples are not installed with the package")
    return found


@pytest.mark.parametrize(
    ("folder", "columns", "count"),
    [
        ("speech", "id path label speaker transcript split", 12),
        ("strips", "id path label coil split", 24),
        ("cells", "id path label module split", 8),
        ("tiles", "id path label lot split", 8),
    ],
)
def test_every_row_has_its_file_and_every_file_its_row(folder: str, columns: str, count: int) -> None:
    found = rows(folder)
    assert list(found[0]) == columns.split()
    assert len(found) == len({row["id"] for row in found}) == count
    files = {path.name for path in (HOME / folder).iterdir()}
    assert files == {row["path"] for row in found} | {"manifest.csv"}
    assert all(value for row in found for value in row.values())
    assert {row["split"] for row in found} == {"train", "test"}


@pytest.mark.parametrize(
    ("folder", "group"), [("speech", "speaker"), ("strips", "coil"), ("cells", "module"), ("tiles", "lot")]
)
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


def test_cells_have_three_dark_busbars_across_and_dark_corners() -> None:
    for row in rows("cells"):
        cell = image.decode(HOME / "cells" / row["path"])[:, :, 0].astype(float)
        lines = np.median(cell[:, 20:180], axis=1)
        dark = np.flatnonzero(lines[4:-4] < 0.6 * np.median(lines)) + 4
        starts = dark[np.flatnonzero(np.diff(dark, prepend=-9) > 1)]
        assert np.abs(starts + 3 - 200 * np.array([1, 3, 5]) / 6).max() <= 1
        assert max(cell[:4, :4].max(), cell[:4, -4:].max(), cell[-4:, :4].max()) < 0.4 * np.median(cell)
        middle, sides = cell[80:92, 60:140].mean(), cell[:, 4:12][40:90].mean()
        assert sides < middle


def test_tiles_are_ground_from_top_to_bottom() -> None:
    for row in rows("tiles"):
        tile = image.decode(HOME / "tiles" / row["path"])[:, :, 0].astype(float)
        assert 90 < tile.mean() < 165
        assert np.diff(tile, axis=0).std() < 0.85 * np.diff(tile, axis=1).std()


@pytest.mark.parametrize(
    ("folder", "group", "picture"), [("strips", "coil", "strip"), ("cells", "module", "cell"), ("tiles", "lot", "tile")]
)
def test_the_script_makes_the_same_pictures_again(script: ModuleType, folder: str, group: str, picture: str) -> None:
    for row in rows(folder):
        made = getattr(script, picture)(row[group], int(row["id"].removeprefix(f"{row[group]}_")))
        assert np.array_equal(made, image.decode(HOME / folder / row["path"]))


def test_a_recipe_names_what_it_is_shown_on_and_nothing_else() -> None:
    assert read(None, "image").root.name == "strips"
    assert read(None, "image", material="cells").root.name == "cells"
    assert load_recipe("solar/crack").digest == load_recipe("solar/crack", "material=tiles").digest
    with pytest.raises(SettingError, match="material: speech: expected strips or cells or tiles"):
        read(None, "image", material="speech")


def test_all_of_it_is_small() -> None:
    assert sum(path.stat().st_size for path in HOME.rglob("*") if path.is_file()) < 3 << 20
