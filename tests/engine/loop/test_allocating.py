"""A budget over weak slices, from the command line on built-in speech: what it decides, writes, prints and shows."""

from importlib.resources import files
from pathlib import Path

import pytest

from sliceforge.engine.cli import main
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.allocate import budget
from sliceforge.engine.loop.allocate.subsets import curves

TRAIN = str(files("sliceforge.material") / "speech" / "manifest.csv")
SLICES = """
version: 1
of: {rows: 400}
slices:
- {name: car, where: "snr_est < 8", rows: 80, error: 0.5, reference: 0.1, cause: nuisance,
   attributes: {snr_est: {low: -4, median: 2, high: 9}}}
- {name: mara, where: "speaker = 'mara'", rows: 40, error: 0.3, reference: 0.1, cause: scarcity}
- {name: flipped, where: "label = 'go'", rows: 40, error: 0.3, reference: 0.1, cause: labels,
   evidence: [fix the labels first]}
"""
LOSSES = "slice,n,loss\n" + "".join(f"mara,{n},{0.6 * n**-0.4:.4f}\n" for n in (1, 2, 3, 4))


def allocate(folder: Path, *more: str) -> int:
    if not (folder / "slices.yaml").exists():
        (folder / "slices.yaml").write_text(SLICES)
    own = [f"slices={folder / 'slices.yaml'}", f"train={TRAIN}", f"out={folder / 'budget.yaml'}"]
    return main(["allocate", *own, "recipes=[speech/far_field, speech/car_noise]", *more])


def orders(folder: Path) -> dict[str, budget.Order]:
    return {order.name: order for order in budget.read(folder / "budget.yaml").slices}


def test_each_slice_gets_what_its_cause_asks_for_and_excess_errors_divide(tmp_path: Path) -> None:
    assert allocate(tmp_path, "budget=10") == 0
    found = orders(tmp_path)
    assert {name: (one.operation, one.recipe, one.items) for name, one in found.items()} == {
        "car": ("matched", "speech/car_noise", 8),  # 32 of 40 excess errors
        "mara": ("oversample", None, 2),
        "flipped": ("nothing", None, None),
    }
    assert found["car"].overrides == ("steps.mix.snr=[-5, 14]",)
    assert found["flipped"].notes == ("fix the labels first",)


def test_it_never_spends_more_nor_leaves_too_few_originals(tmp_path: Path) -> None:
    for total in (1, 1000):
        assert allocate(tmp_path, f"budget={total}") == 0
        items = [order.items or 0 for order in orders(tmp_path).values()]
        assert sum(items) == min(total, 13)  # 9 originals are 40 % of 22


def test_what_it_writes_is_made_without_more_ado(tmp_path: Path) -> None:
    assert allocate(tmp_path, "budget=6") == 0
    more = ["workers=1", "report=false", "device=cpu"]
    assert main(["generate", f"budget={tmp_path / 'budget.yaml'}", f"out={tmp_path / 'RUN'}", *more]) == 0
    assert (tmp_path / "RUN" / "train.parquet").exists()


def test_a_curve_decides_where_there_is_one_and_the_page_shows_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "curves.csv").write_text(LOSSES)
    assert allocate(tmp_path, "budget=10", f"curves={tmp_path / 'curves.csv'}") == 0
    said = capsys.readouterr().out
    assert " points (" in said
    assert "of the next 1000, " in said
    page = (tmp_path / "budget.html").read_text()
    assert page.count('<path class="curve"') == 1
    assert "default-src 'none'" in page.replace("&#x27;", "'")
    assert "src=" not in page
    assert "http" not in page.replace("http-equiv", "")
    (name,) = [one for one in orders(tmp_path) if one == "mara"]
    assert orders(tmp_path)[name].items == 2


def test_a_table_of_trainings_gives_the_curve_that_it_was_made_of(tmp_path: Path) -> None:
    (tmp_path / "curves.csv").write_text(LOSSES)
    found, points = curves(str(tmp_path / "curves.csv"), ["mara", "car"])
    assert (found["mara"].a, found["mara"].b) == pytest.approx((0.4, 0.6), abs=2e-3)
    assert points["mara"][0].tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("slice,n\nmara,3\n", "no column loss"),
        (LOSSES.replace("mara", "mora"), "slice mora: no such slice; did you mean mara"),
        ("slice,n,loss\nmara,3,0.5\nmara,4,0.5\n", "mara: curve: sizes"),
    ],
)
def test_a_wrong_table_of_trainings_is_one_line(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "curves.csv").write_text(text)
    with pytest.raises(SettingError, match=says):
        curves(str(tmp_path / "curves.csv"), ["mara"])


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("budget=many", "budget: 'many': expected a number of items"),
        ("slices=", "slices: is not given"),
        ("curves=nowhere.csv", "no such file"),
        ("recipes=[speech/car]", "no such recipe"),
        ("recipes=speech/car_noise", "recipes: 'speech/car_noise': expected a list of names"),
        ("apart=speaker", "apart: 'speaker': expected a list of names"),
        ("apart=[group, speakr]", "apart: speakr: train has no such column"),
        ("banks.nois=anywhere", "banks.nois: no step of this recipe takes from it; did you mean noise"),
        ("banks.noise=nowhere", "banks.noise: nowhere: no such file or folder"),
        ("out=budget.html", "out: budget.html: expected a YAML file"),
        (f"data={TRAIN}", "is evaluated"),
    ],
)
def test_a_wrong_setting_is_one_line(more: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    extra = [] if more.startswith("data") else ["budget=5"]
    if more.startswith("data"):
        (tmp_path / "p.csv").write_text("id,label,pred\nleft_mara,left,go\n")
        extra = ["budget=5", f"predictions={tmp_path / 'p.csv'}"]
    assert allocate(tmp_path, *extra, more) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line
