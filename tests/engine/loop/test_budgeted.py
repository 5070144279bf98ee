"""A budget made into a training set, from the command line on built-in speech, and what is in it."""

from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
import yaml
from harness import killed, tree

from sliceforge.engine import predicate
from sliceforge.engine.cli import main
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.allocate.budget import Budget, Order, read, write
from sliceforge.engine.loop.rows.attributes import measured
from sliceforge.engine.manifest import read as manifest

TRAIN = str(files("sliceforge.material") / "speech" / "manifest.csv")
CAR = Order(
    *("theo_car", "speaker = 'theo' AND snr_est < 6", "matched", "speech/car_noise", ("steps.mix.snr=[-5, 14]",)),
    *("speaker = 'theo'", "noise = 'car'", "snr_est < 6", 7),
)
MARA = Order("mara", "speaker = 'mara'", "oversample", items=4)


def budget(folder: Path, *orders: Order, **more: Any) -> Path:
    write(folder / "budget.yaml", Budget(orders, train=TRAIN, **more))
    return folder / "budget.yaml"


def run(path: Path, out: Path, *more: str) -> int:
    return main(["generate", f"budget={path}", f"out={out}", "workers=1", "report=false", "device=cpu", *more])


def rows(out: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pq.read_table(out / "train.parquet").to_pylist()
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("budget")
    assert run(budget(home, CAR, MARA, Order("owen", "speaker = 'owen'")), home / "RUN") == 0
    return home


def test_the_training_set_holds_every_original_what_was_made_and_what_is_repeated(made: Path) -> None:
    found = rows(made / "RUN")
    originals = [row for row in found if row["slice"] is None]
    source = manifest(TRAIN, "audio").table.to_pylist()
    assert [row["id"] for row in originals] == [row["id"] for row in source if row["split"] == "train"]
    assert {(row["slice"], row["operation"], row["made"]) for row in found if row["slice"]} == {
        ("theo_car", "matched", True),
        ("mara", "oversample", False),
    }
    assert sum(row["made"] for row in found) == 7
    assert len({row["id"] for row in found}) == len(found)
    for row in found:
        assert Path(row["path"]).is_absolute()
        assert soundfile.info(row["path"]).frames > 0
        assert row["split"] == "train"


def test_repeats_are_rows_of_the_slice_each_as_often_as_any_other_within_one(made: Path) -> None:
    found = [row for row in rows(made / "RUN") if row["operation"] == "oversample"]
    assert {row["speaker"] for row in found} == {"mara"}
    assert [row["id"] for row in found] == sorted(f"{row['parents'][0]}#{row['id'][-1]}" for row in found)
    counts = [sum(row["parents"] == [one] for row in found) for one in {row["parents"][0] for row in found}]
    assert max(counts) - min(counts) <= 1


def test_every_made_item_is_in_the_slice_by_its_row_and_by_its_file(made: Path) -> None:
    table = pq.read_table(made / "RUN" / "train.parquet")
    table = table.filter(table["made"])
    assert predicate.select(table, "speaker = 'theo' AND noise = 'car'").all()
    again = measured(manifest(str(made / "RUN" / "theo_car"), "audio"), "audio", ["snr_est"], folder=made / "cache")
    assert predicate.select(again, "snr_est < 6").all()
    run_ = pq.read_table(made / "RUN" / "theo_car" / "manifest.parquet")
    got = dict(zip(run_["id"].to_pylist(), run_["got.within_snr_est"].to_pylist(), strict=True))
    assert got == dict(zip(again["id"].to_pylist(), again["snr_est"].to_pylist(), strict=True))
    assert max(run_["attempt"].to_pylist()) > 0  # some were drawn again


def test_begun_again_it_is_finished_and_elsewhere_it_is_the_same(made: Path, tmp_path: Path) -> None:
    before = (made / "RUN" / "train.parquet").read_bytes()
    assert run(made / "budget.yaml", made / "RUN") == 0
    assert (made / "RUN" / "train.parquet").read_bytes() == before
    assert run(made / "budget.yaml", tmp_path / "RUN", "batch=2") == 0
    assert [{name: value for name, value in row.items() if name != "path"} for row in rows(tmp_path / "RUN")] == [
        {name: value for name, value in row.items() if name != "path"} for row in rows(made / "RUN")
    ]


def test_a_folder_of_another_budget_is_refused(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(budget(tmp_path, MARA), made / "RUN") == 2
    assert "holds what another budget asked for" in capsys.readouterr().err


def test_suspects_are_never_made_more_of(tmp_path: Path) -> None:
    (tmp_path / "relabel.csv").write_text("id\nleft_theo\nleft_mara\n")
    order = Order("car", "noise = 'car'", "matched", "speech/car_noise", slice="noise = 'car'", items=4)
    assert run(budget(tmp_path, order, MARA, suspects=str(tmp_path / "relabel.csv")), tmp_path / "RUN") == 0
    found = rows(tmp_path / "RUN")
    assert {"left_theo", "left_mara"} <= {row["id"] for row in found}
    assert not {"left_theo", "left_mara"} & {parent for row in found for parent in row["parents"]}


def test_suspects_are_no_donors_either(tmp_path: Path) -> None:
    (tmp_path / "relabel.csv").write_text("id\nleft_theo\nleft_mara\n")
    order = Order("talk", "TRUE", "bank", "speech/car_babble", items=8)
    for name, more in (("ALL", {}), ("RUN", {"suspects": str(tmp_path / "relabel.csv")})):
        assert run(budget(tmp_path, order, **more), tmp_path / name) == 0
    heard = {
        name: {
            row[f"babble.item_{k}"]
            for row in pq.read_table(tmp_path / name / "talk" / "plan-v001.parquet").to_pylist()
            for k in (1, 2, 3)
        }
        for name in ("ALL", "RUN")
    }
    assert {"left_theo", "left_mara"} & heard["ALL"]
    assert not {"left_theo", "left_mara"} & heard["RUN"]


def test_a_breach_ends_with_2_and_makes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "p.csv").write_text("id,label,pred\nleft_mara,left,right\n")
    assert run(budget(tmp_path, MARA, predictions=str(tmp_path / "p.csv")), tmp_path / "RUN") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "left_mara is evaluated" in line
    assert not (tmp_path / "RUN").exists()


@pytest.mark.parametrize(
    ("order", "says"),
    [
        (Order("m", "speaker = 'mara'", "oversample", items=13), "at most 4 for each parent, 12 here"),
        (Order("m", "speaker = 'mara'", "oversample", times=9), "at most 4 for each parent"),
        (Order("m", "TRUE", "oversample", items=14), "expected at most 13, so that clean=0.4"),
        (Order("m", "speaker = 'q'", "oversample", items=1), "no training item has speaker = 'q'"),
        (Order("m", "TRUE", "matched", "speech/car_nois", items=1), "no such recipe"),
        (Order("m", "TRUE", "matched", "speech/car_noise", ("steps.mux.snr=3",), items=1), "budget: m: steps.mux"),
    ],
)
def test_what_is_too_much_or_cannot_be_is_refused(
    order: Order, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(budget(tmp_path, order), tmp_path / "RUN") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line
    assert not (tmp_path / "RUN").exists()


def test_a_gate_that_nothing_passes_ends_with_1_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    order = Order("car", "snr_est < -9.9", "matched", "speech/car_noise", within="snr_est < -9.9", items=2)
    assert run(budget(tmp_path, order), tmp_path / "RUN", "retries=0") == 1
    assert "car: 0 of count=2 items could be made" in capsys.readouterr().err
    assert not any(row["made"] for row in rows(tmp_path / "RUN"))


def test_settings_that_the_budget_says_are_refused_beside_it(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for word in ("data=x", "seed=3", "steps.mix.snr=3", "recipe=speech/general"):
        assert run(made / "budget.yaml", made / "RUN", word) == 2
        assert f"{word.partition('=')[0]}: is said by the budget" in capsys.readouterr().err


def test_a_budget_is_read_as_it_was_written(tmp_path: Path) -> None:
    whole = Budget((CAR, MARA), train="a, b", pattern="{label}_{index}", banks={"noise": "n"}, apart=("coil",), seed=9)
    write(tmp_path / "b.yaml", whole, {"why": 1})
    assert read(tmp_path / "b.yaml") == whole


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"slices": []}, "has no list of slices"),
        ({"version": 2}, "expected version: 1"),
        ({"tran": "x"}, "tran: no such entry; did you mean train"),
        ({"seed": "x"}, "seed 'x': expected a whole number"),
        ({"slices": [{"name": "A b", "where": "a"}]}, "name 'A b'; expected letters"),
        ({"slices": [{"name": "a", "where": "a <"}]}, "slice 1: where"),
        ({"slices": [{"name": "a", "where": "a", "operation": "matched"}]}, "matched needs recipe"),
        ({"slices": [{"name": "a", "where": "a", "operation": "matchd"}]}, "did you mean matched"),
        ({"slices": [{"name": "a", "where": "a"}] * 2}, "two slices are called a"),
    ],
)
def test_a_wrong_budget_is_one_line(change: dict[str, Any], says: str, tmp_path: Path) -> None:
    plain = Budget((MARA,)).plain() | change
    (tmp_path / "b.yaml").write_text(yaml.safe_dump(plain))
    with pytest.raises(SettingError, match=says):
        read(tmp_path / "b.yaml")


def test_columns_of_the_data_with_a_name_of_the_tables_own_give_way(tmp_path: Path) -> None:
    table = manifest(TRAIN, "audio").table
    table = table.append_column("slice", pa.array(["x"] * len(table)))
    paths = [str(Path(TRAIN).parent / path) for path in table["path"].to_pylist()]
    for path in paths:
        (tmp_path / Path(path).name).write_bytes(Path(path).read_bytes())
    pq.write_table(table, tmp_path / "t.parquet")
    write(tmp_path / "budget.yaml", Budget((MARA,), train=str(tmp_path / "t.parquet")))
    assert run(tmp_path / "budget.yaml", tmp_path / "RUN") == 0
    found = rows(tmp_path / "RUN")
    assert {row["data_slice"] for row in found} == {"x"}
    assert {row["slice"] for row in found} == {None, "mara"}


def test_killed_and_begun_again_it_ends_with_the_same_bytes(made: Path, tmp_path: Path) -> None:
    own = [f"budget={made / 'budget.yaml'}", f"out={tmp_path / 'RUN'}", "workers=1", "report=false", "device=cpu"]
    assert killed(6, "before", "generate", *own) == -9
    assert run(made / "budget.yaml", tmp_path / "RUN") == 0
    runs = [tree(home / "RUN" / "theo_car") for home in (tmp_path, made)]
    assert runs[0] == runs[1]
    assert [row["sha256"] for row in rows(tmp_path / "RUN")] == [row["sha256"] for row in rows(made / "RUN")]
