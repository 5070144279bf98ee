"""slices.yaml: what is written is read back, what people write by hand is enough, and what is wrong is named."""

from pathlib import Path

import pytest

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.rows.conditions import conditions, in_words, names
from sliceforge.engine.loop.rows.slices import Range, WeakSlice, header, read, write

FULL = WeakSlice(
    *("car_snr_below_5_2", "noise = 'car' AND snr_est < 5.2", 150, 0.61, 0.125, 0.485, (0.4, 0.57)),
    *(1e-30, 4e-28, 0.08, 0.06, "nuisance", ("training has nothing like it: «5 dB»",)),
    {"snr_est": Range(-2.0, 1.5, 5.1)},
)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "slices.yaml"
    of = {"predictions": "P.parquet", "rows": 1200, "error": 0.2, "loss": "wrong", "tested": [10, 200, 0]}
    labels = {"fix": True, "lines": ["fix the labels first"], "queue": 7}
    write(path, [FULL, WeakSlice("b", '"got.snr" >= 3')], of, labels)
    assert read(path) == [FULL, WeakSlice("b", '"got.snr" >= 3')]
    assert header(path) == {"version": 1, "of": of, "labels": labels}
    first = path.read_bytes()
    write(path, read(path), of, labels)
    assert path.read_bytes() == first


def test_a_name_and_a_condition_are_enough(tmp_path: Path) -> None:
    path = tmp_path / "slices.yaml"
    path.write_text("slices:\n- {name: car, where: \"noise = 'car' AND snr < 10\"}\n")
    assert read(path) == [WeakSlice("car", "noise = 'car' AND snr < 10")]
    assert header(path) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1", "is not YAML"),
        ("a", "is no mapping"),
        ("version: 2", "expected version: 1"),
        ("{}", "has no list of slices"),
        ("slices: [3]", "slice 1: is no mapping"),
        ("slices: [{name: Car, where: snr < 1}]", "slice 1: name 'Car'; expected letters a to z"),
        ("slices: [{name: a}]", "slice 1: where None; expected a condition"),
        ("slices: [{name: a, where: 'snr <'}]", "slice 1: where: snr <"),
        ("slices: [{name: a, where: 'read_csv(x) = 1'}]", "slice 1: where: read_csv"),
        ("slices: [{name: a, where: snr < 1}, {name: a, where: snr < 2}]", "two slices are called a"),
        ("slices: [{name: a, where: snr < 1, caus: x}]", "did you mean cause"),
        ("slices: [{name: a, where: snr < 1, cause: noise}]", "expected null or one of nuisance"),
        ("slices: [{name: a, where: snr < 1, gap: high}]", "gap: 'high'; expected a number"),
        ("slices: [{name: a, where: snr < 1, interval: [1]}]", "interval [1]; expected two numbers"),
        ("slices: [{name: a, where: snr < 1, evidence: x}]", "evidence; expected a list of lines"),
        ("slices: [{name: a, where: snr < 1, attributes: {snr: [1, 2]}}]", "attributes; expected such as"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "slices.yaml"
    path.write_text(text)
    with pytest.raises(SettingError, match=r"^slices: ") as error:
        read(path)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingError, match=r"slices: none\.yaml: No such file"):
        read("none.yaml")


def test_conditions_are_parted_where_and_joins_them_alone() -> None:
    where = "a = 'x AND y' AND (b = 1 AND c = 2) AND d BETWEEN 1 AND 2 AND \"e AND\" IS NULL AND NOT f"
    found = conditions(where)
    assert [one.text for one in found] == [
        *("a = 'x AND y'", "(b = 1 AND c = 2)", "d BETWEEN 1 AND 2", '"e AND" IS NULL', "NOT f")
    ]
    assert [sorted(one.columns) for one in found] == [["a"], ["b", "c"], ["d"], ["e AND"], ["f"]]
    assert [(one.column, one.sign, one.value) for one in found[::3]] == [
        ("a", "=", "x AND y"),
        ("e AND", "IS NULL", ""),
    ]
    assert [one.text for one in conditions("a = 1 OR b = 2 AND c = 3")] == ["a = 1 OR b = 2 AND c = 3"]
    assert [one.text for one in conditions("CASE WHEN a AND b THEN c ELSE d END AND e")][1] == "e"


def test_a_slice_is_said_in_words_and_has_a_name_of_its_own() -> None:
    assert in_words("snr_est < 5.25 AND NOT wet", {"snr_est": "dB"}) == "snr_est below 5.25 dB, wet is false"
    assert in_words("a IS NULL AND b >= -3.5 AND b < 2") == "a is missing, b from -3.5 to 2"
    found = names(["label = 'é'", "label = 'ü'", "x < -1", f"a = '{'long ' * 30}'"])
    assert found[:3] == ["label", "label_2", "x_below_minus_1"]
    assert len(found[3]) <= 60
