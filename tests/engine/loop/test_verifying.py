"""Two sets of predictions judged from the command line: the exit code, the table, verdict.yaml and the page."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from sliceforge.engine.cli import main

ROWS = 900
SLICES = """slices:
- {name: car, where: "noise = 'car'"}
- {name: low, where: "snr < 0"}
- {name: gone, where: "noise = 'rain'"}
"""


def table(seed: int, car: float, clean: float, first: int = 0) -> pa.Table:
    """Predictions with an error rate in each kind of noise; which rows are what does not depend on the seed."""
    fixed, own = np.random.default_rng(0), np.random.default_rng([1, seed])
    noise = np.where(fixed.random(ROWS) < 0.3, "car", "clean")
    wrong = own.random(ROWS) < np.where(noise == "car", car, clean)
    columns = {
        "id": [f"i{i + first}" for i in range(ROWS)],
        "label": ["a"] * ROWS,
        "pred": np.where(wrong, "b", "a"),
        "noise": noise,
        "snr": fixed.normal(5, 5, ROWS),
        "speaker": fixed.integers(0, 30, ROWS).astype(str),
    }
    return pa.table(columns).take(pa.array(own.permutation(ROWS)))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for seed in range(3):
        for name, *rates in (("a", 0.5, 0.1), ("b", 0.3, 0.1), ("bad", 0.3, 0.3), ("same", 0.5, 0.1)):
            pq.write_table(table(seed + 10 * (name != "a"), *rates), tmp_path / f"{name}{seed}.parquet")
    (tmp_path / "slices.yaml").write_text(SLICES)
    return tmp_path


def verify(home: Path, before: str, after: str, *more: str, seeds: int = 3) -> int:
    files = {
        key: f"[{', '.join(str(home / f'{name}{i}.parquet') for i in range(seeds))}]"
        for key, name in (("before", before), ("after", after))
    }
    own = [f"{key}={value}" for key, value in files.items()]
    return main(["verify", *own, f"slices={home / 'slices.yaml'}", f"out={home / 'verdict.yaml'}", *more])


def verdict(home: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((home / "verdict.yaml").read_text())
    return found


def test_a_gain_without_loss_is_accepted_with_0(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(home, "a", "b", "cluster=speaker") == 0
    found = verdict(home)
    assert found["decision"] == "accept"
    assert found["seeds"] == [3, 3]
    assert {one["slice"] for one in found["changes"]} == {"car", "low", "the rest"}
    assert found["empty"] == ["gone"]
    car = found["changes"][0]
    assert car["units"] <= 30  # speakers
    assert car["low"] < 0.2 < car["high"]
    said = capsys.readouterr().out
    assert "accept: car gained" in said
    assert "gone: no row counts" in said
    assert "one training" not in said


@pytest.mark.parametrize(("after", "decision"), [("bad", "halve"), ("same", "reject")])
def test_a_gain_that_another_slice_pays_for_and_none_at_all_end_with_1(after: str, decision: str, home: Path) -> None:
    assert verify(home, "a", after) == 1
    assert verdict(home)["decision"] == decision


def test_with_one_training_it_says_what_that_cannot_rule_out(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    verify(home, "a", "b", seeds=1)
    said = capsys.readouterr().out
    assert "how far another seed goes is estimated" in said


def test_figures_are_those_of_the_tables_whatever_their_order(home: Path) -> None:
    verify(home, "a", "b", seeds=1)
    (car, *_) = verdict(home)["changes"]
    for name, key in (("a", "before"), ("b", "after")):
        rows = pq.read_table(home / f"{name}0.parquet").to_pylist()
        wrong = [row["pred"] != row["label"] for row in rows if row["noise"] == "car"]
        assert car[key] == pytest.approx(np.mean(wrong), abs=1e-6)
        assert car["rows"] == len(wrong)


def test_rows_that_slices_were_found_on_do_not_count(home: Path) -> None:
    pq.write_table(pa.table({"id": [f"i{i}" for i in range(0, ROWS, 2)]}), home / "found.parquet")
    verify(home, "a", "b", f"found_on={home / 'found.parquet'}")
    assert verdict(home)["of"] == {"rows": ROWS // 2, "left_out": ROWS // 2, "kind": "wrong"}


def test_the_rows_that_find_searched_are_known_by_slices_yaml(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "slices.yaml").write_text("of: {found_on: slices.ids.parquet}\n" + SLICES)
    ids = [f"i{i}" for i in range(ROWS)]
    pq.write_table(pa.table({"id": ids[::2]}), home / "slices.ids.parquet")
    verify(home, "a", "b")
    assert verdict(home)["of"]["left_out"] == ROWS // 2
    pq.write_table(pa.table({"id": ids}), home / "slices.ids.parquet")
    verify(home, "a", "b")
    assert verdict(home)["searched"]
    assert "slices were found on all of these rows" in capsys.readouterr().out


def test_what_is_right_must_not_have_changed(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = pq.read_table(home / "b0.parquet")
    other = rows.set_column(rows.column_names.index("label"), "label", pa.array(["b"] * ROWS))
    pq.write_table(other, home / "b0.parquet")
    assert verify(home, "a", "b", seeds=1) == 2
    assert "after: label: 'i0' is 'b'; expected 'a'" in capsys.readouterr().err


def test_another_slice_can_be_the_one_that_was_worked_on(home: Path) -> None:
    verify(home, "a", "b", "weak=low")
    assert verdict(home)["weak"] == "low"
    assert verdict(home)["changes"][0]["slice"] == "low"


def test_the_page_opens_offline_and_has_a_line_for_each_slice(home: Path) -> None:
    verify(home, "a", "b")
    page = (home / "verdict.html").read_text()
    assert page.count('class="mean"') == 3
    assert "default-src 'none'" in page.replace("&#x27;", "'")
    assert "http" not in page.replace("http-equiv", "")
    assert "<script" not in page


def test_word_errors_count_by_their_words(tmp_path: Path) -> None:
    """Of 2 words in each short row all are wrong before, of 20 in each long one none ever is."""
    rows = [("one two", "x y"), ("a " * 20, "a " * 20)] * 20
    for name, hyps in (("a", [hyp for _, hyp in rows]), ("b", [ref for ref, _ in rows])):
        ids = [str(i) for i in range(40)]
        pq.write_table(
            pa.table({"id": ids, "ref": [ref for ref, _ in rows], "hyp": hyps}), tmp_path / f"{name}0.parquet"
        )
    (tmp_path / "slices.yaml").write_text('slices: [{name: whole, where: "TRUE"}]')
    verify(tmp_path, "a", "b", seeds=1)
    assert verdict(tmp_path)["changes"][0]["before"] == pytest.approx(2 / 22, abs=1e-6)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("after=", "after: is not given"),
        ("weak=cra", "no such slice; did you mean car"),
        ("weak=gone", "none of 900 rows is in it"),
        ("cluster=speakers", "did you mean speaker"),
        ("margin=-1", "margin: -1: expected 0 or more"),
        ("out=verdict.html", "out: verdict.html: expected a YAML file"),
        ("after={home}/other.parquet", "is not in every table"),
    ],
)
def test_a_wrong_setting_is_one_line(more: str, says: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pq.write_table(table(5, 0.3, 0.1, first=7), home / "other.parquet")
    assert verify(home, "a", "b", more.format(home=home)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line
