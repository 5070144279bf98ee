"""What a trial reads off a training: each slice's loss on the rows that tune, in rows or in clusters of them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sliceforge.engine.loop.ground import Ground
from sliceforge.engine.loop.rows.known import Known
from sliceforge.engine.loop.trainings import write_manifest
from sliceforge.engine.loop.trial import losses, parts
from sliceforge.engine.loop.verify.verdict import FEWEST, REST

ROWS = 120
WRONG = np.random.default_rng(0).random(ROWS) < 0.4
KIND = np.array(["rare", "one", "two"])[np.arange(ROWS) % 3]
COIL = np.arange(ROWS) // 5
PART = np.where(np.arange(ROWS) < 90, "tune", "report")
SLICES = {"rare": "kind = 'rare'", "first": "number < 3"}


def ground(clusters: bool) -> Ground:
    ids = [f"{k:03}" for k in range(ROWS)]
    rows = Known(pa.table({"id": ids, "kind": KIND, "number": np.arange(ROWS)}), {})
    return Ground(rows, rows, PART, COIL.astype(str) if clusters else None, 0)


@pytest.fixture
def told(tmp_path: Path) -> Path:
    pred = np.where(WRONG, "other", KIND)
    return write_manifest(tmp_path / "p.csv", pa.table({"id": ground(False).ids, "label": KIND, "pred": pred}))


@pytest.mark.parametrize("clusters", [False, True])
def test_what_the_units_of_a_slice_add_is_its_mean_loss_on_the_part_alone(told: Path, clusters: bool) -> None:
    own = (KIND == "rare") & (PART == "tune")
    found = parts(ground(clusters), told, SLICES, "tune")
    assert found["rare"].sum() == pytest.approx(WRONG[own].mean())
    assert len(found["rare"]) == (len(set(COIL[own])) if clusters else own.sum())
    rest = (PART == "tune") & ~own & (np.arange(ROWS) >= 3)
    assert found[REST].sum() == pytest.approx(WRONG[rest].mean())
    assert losses(ground(clusters), told, SLICES, "tune") == {name: pytest.approx(v.sum()) for name, v in found.items()}


def test_a_slice_of_too_few_rows_says_nothing(told: Path) -> None:
    assert FEWEST > 3
    assert set(parts(ground(False), told, SLICES, "tune")) == {"rare", REST}
