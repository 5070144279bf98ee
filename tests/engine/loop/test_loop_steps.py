"""The steps' folders, and which rows are for what."""

from pathlib import Path

import numpy as np
import pytest

from sliceforge.engine.errors import RunError, SettingError
from sliceforge.engine.loop import splits, steps


def test_a_step_is_done_once_and_other_inputs_are_told(tmp_path: Path) -> None:
    calls = []

    def action(folder: Path) -> dict:
        calls.append(folder)
        return {"answer": 42}

    folder = steps.place(tmp_path, "find")
    assert steps.found(folder) is None
    for _ in range(2):
        assert steps.done(folder, {"data": "x"}, action) == {"answer": 42}
    assert calls == [folder]
    with pytest.raises(SettingError, match='data was "x", now "y"; name another folder'):
        steps.done(folder, {"data": "y"}, action)
    (folder / "step.json").write_text("{")
    with pytest.raises(RunError, match="is damaged"):
        steps.done(folder, {"data": "x"}, action)


def test_a_step_that_was_interrupted_goes_on_from_the_same_inputs_alone(tmp_path: Path) -> None:
    def broken(folder: Path) -> dict:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        steps.done(tmp_path / "1_x", {"data": "x"}, broken)
    with pytest.raises(SettingError, match="was begun from something else: data"):
        steps.done(tmp_path / "1_x", {"data": "y"}, broken)
    assert steps.done(tmp_path / "1_x", {"data": "x"}, lambda folder: {"n": 1}) == {"n": 1}


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    steps.agree(tmp_path, {"budget": 100})
    steps.agree(tmp_path, {"budget": 100})
    (tmp_path / "1_baseline" / "trainings" / "seed_0").mkdir(parents=True)
    with pytest.raises(SettingError, match="budget was 100, now 200"):
        steps.agree(tmp_path, {"budget": 200})
    (tmp_path / "loop.yaml").write_text("- x")
    with pytest.raises(SettingError, match="cannot be read"):
        steps.agree(tmp_path, {"budget": 100})
    (tmp_path / "loop.yaml").rename(tmp_path / "other")
    with pytest.raises(SettingError, match="is not empty and holds no loop"):
        steps.agree(tmp_path, {"budget": 100})


def test_settings_may_be_mended_until_something_is_finished(tmp_path: Path) -> None:
    steps.agree(tmp_path, {"train": "trian"})
    for name in ("splits.parquet", "1_baseline/.step.json", "1_baseline/trainings/.begun-seed_0.7/seed_0.csv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("left")
    steps.agree(tmp_path, {"train": "train"})
    assert [path.name for path in tmp_path.iterdir()] == ["loop.yaml"]
    steps.done(steps.place(tmp_path, "baseline"), {}, lambda folder: {})
    with pytest.raises(SettingError, match='train was "train", now "trian"'):
        steps.agree(tmp_path, {"train": "trian"})


@pytest.mark.parametrize("clusters", [None, 100])
def test_no_row_and_no_cluster_is_in_two_parts_whatever_the_order(clusters: int | None) -> None:
    generator = np.random.default_rng(4)
    ids = [f"row {i}" for i in range(3000)]
    own = None if clusters is None else generator.integers(0, clusters, len(ids)).astype(str)
    part = splits.parts(ids, own, seed=3)
    order = generator.permutation(len(ids))
    turned = splits.parts([ids[i] for i in order], None if own is None else own[order], seed=3)
    assert (turned == part[order]).all()
    assert (splits.parts(ids, own, seed=4) != part).any()
    for name, share in splits.PARTS.items():
        assert abs((part == name).mean() - share) < (0.001 if clusters is None else 0.02)
    if own is not None:
        assert all(len(set(part[own == one])) == 1 for one in set(own))


def test_rows_in_two_parts_are_a_breach_that_is_told(tmp_path: Path) -> None:
    splits.write(tmp_path / "a.parquet", ["a", "b", "c"], np.array(["find", "tune", "report"]), None)
    assert splits.read(tmp_path / "a.parquet") == {
        "find": frozenset("a"),
        "tune": frozenset("b"),
        "report": frozenset("c"),
    }
    splits.write(tmp_path / "b.parquet", ["a", "b", "a"], np.array(["find", "tune", "report"]), None)
    with pytest.raises(RunError, match="id a is in find and in report"):
        splits.read(tmp_path / "b.parquet")
    splits.write(tmp_path / "c.parquet", ["a", "b"], np.array(["find", "tune"]), ["theo", "theo"])
    with pytest.raises(RunError, match="cluster theo is in find and in tune"):
        splits.read(tmp_path / "c.parquet")
    with pytest.raises(SettingError, match="2 clusters"):
        splits.parts(["a", "b", "c"], ["x", "x", "y"])
