"""Predictions are read as what they are, or refused in one line that says what was expected."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import csv as arrow_csv

from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.rows.predictions import load, load_many
from sliceforge.engine.loop.rows.spoken import edits, normalised, wrong

CLASSES = {"id": ["a", "b", "c"], "label": ["cat", "dog", "dog"], "pred": ["cat", "cat", "dog"], "noise": [1.5, 2, 3]}
SOFT = {"id": ["a", "b"], "label": ["cat", "dog"], "p_cat": [0.75, 0.5], "p_dog": [0.25, 0.5]}


def written(folder: Path, columns: dict, suffix: str = ".parquet", name: str = "p") -> str:
    path, table = folder / f"{name}{suffix}", pa.table(columns)
    if suffix == ".parquet":
        pq.write_table(table, path)
    elif suffix == ".csv":
        arrow_csv.write_csv(table, path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    return str(path)


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".jsonl"])
def test_a_wrong_class_is_a_loss_of_one_in_every_format(tmp_path: Path, suffix: str) -> None:
    found = load(written(tmp_path, CLASSES, suffix))
    assert found.kind == "wrong"
    assert found.loss.dtype == np.float64
    assert found.loss.tolist() == [0, 1, 0]
    assert found.classes == ("cat", "dog")
    assert found.table.column_names == ["id", "noise"]
    assert found.weight is None
    assert found.mean() == pytest.approx(1 / 3)


def test_probabilities_give_the_likeliest_class_and_its_cross_entropy(tmp_path: Path) -> None:
    found = load(written(tmp_path, SOFT))
    assert found.predicted is not None
    assert found.predicted.tolist() == ["cat", "cat"]  # of a tie the first
    assert found.loss.tolist() == [0, 1]
    assert found.more["cross_entropy"] == pytest.approx([np.log(4 / 3), np.log(2)])
    assert found.probabilities is not None
    assert found.probabilities.shape == (2, 2)
    assert found.classes == ("cat", "dog")


def test_what_was_chosen_counts_where_it_stands_beside_probabilities(tmp_path: Path) -> None:
    found = load(written(tmp_path, {**SOFT, "pred": ["dog", "dog"]}))
    assert found.loss.tolist() == [1, 0]
    assert found.probabilities is not None


def test_half_precision_sums_to_one_nearly_enough(tmp_path: Path) -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(12), 50).astype(np.float16)
    columns = {"id": [str(i) for i in range(50)], "label": ["3"] * 50} | {f"p_{i}": p[:, i] for i in range(12)}
    assert len(load(written(tmp_path, columns))) == 50


def test_word_errors_are_weighted_by_words(tmp_path: Path) -> None:
    columns = {"id": ["a", "b", "c"], "ref": ["Turn the light on.", "stop", ""], "hyp": ["turn light on", "Stop!", "x"]}
    found = load(written(tmp_path, columns, ".jsonl"))
    assert found.kind == "words"
    assert found.weight is not None
    assert found.weight.tolist() == [4, 1, 1]  # nothing said counts as one word, so that what was heard is an error
    assert (found.loss * found.weight).tolist() == [1, 0, 1]
    assert found.mean() == pytest.approx(2 / 6)
    assert found.more["cer"][0] == pytest.approx(4 / 17)


def test_an_empty_cell_is_a_transcript_without_words(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("id,ref,hyp\na,go on,\n")
    assert load(str(path)).loss.tolist() == [1]


def test_iou_and_losses(tmp_path: Path) -> None:
    assert load(written(tmp_path, {"id": ["a", "b"], "iou": [1.0, 0.25]})).loss.tolist() == [0, 0.75]
    found = load(written(tmp_path, {"id": ["a", "b"], "loss": [7, -1]}))
    assert (found.kind, found.loss.tolist()) == ("loss", [7, -1])


def test_numbers_that_lost_their_zeros_are_still_the_same_class(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("id,label,pred\n01,007,007\n02,010,007\n")
    found = load(str(path))
    assert found.ids.tolist() == ["01", "02"]
    assert found.loss.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (
            {"id": ["a"], "label": ["x"]},
            r"columns id, label; expected id and one of: label,pred.* such as id,label",
        ),
        ({"label": ["x"], "pred": ["x"]}, "no column 'id'; found label, pred"),
        ({**CLASSES, "iou": [0.1, 0.2, 0.3]}, "both label,pred .* and iou"),
        ({**CLASSES, "id": ["a", "a", "b"]}, "id: 'a' is there 2 times"),
        ({**CLASSES, "id": ["a", None, "b"]}, "id: is empty in 1 rows"),
        ({**CLASSES, "label": ["cat", None, "dog"]}, "label: is nothing for 'b'; expected a class"),
        ({"id": ["a"], "iou": [1.2]}, "iou: is 1.2 for 'a'; expected a number from 0 to 1"),
        ({"id": ["a", "b"], "loss": [1.0, float("nan")]}, "loss: is nothing for 'b'; expected a finite number"),
        ({"id": ["a"], "loss": ["much"]}, "loss: is string; expected numbers"),
        ({**SOFT, "p_dog": [0.25, 0.6]}, "p_cat … p_dog together: is 1.1 for 'b'; expected 1"),
        ({**SOFT, "p_dog": [0.25, None]}, "p_dog: is nothing for 'b'"),
        ({**SOFT, "label": ["cat", "cow"]}, "label: is 'cow' for 'b'; expected one of the classes cat, dog"),
        ({**SOFT, "pred": ["cow", "cow"]}, "pred: is 'cow' for 'a' and 1 more rows; expected one of the classes"),
    ],
)
def test_what_cannot_be_read_is_one_line(tmp_path: Path, columns: dict, said: str) -> None:
    with pytest.raises(SettingError, match=said) as error:
        load(written(tmp_path, columns))
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("predictions: ")


def test_only_tables_are_read(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none.csv", Path(__file__)):
        with pytest.raises(SettingError, match=r"expected a table in \.parquet"):
            load(str(place))


def test_tables_of_several_seeds_come_in_the_order_of_the_first(tmp_path: Path) -> None:
    first = written(tmp_path, CLASSES)
    turned = {name: values[::-1] for name, values in CLASSES.items()}
    second = written(tmp_path, turned, ".csv", "q")
    one, two = load_many([first, second], "before")
    assert one.ids.tolist() == two.ids.tolist() == ["a", "b", "c"]
    assert two.loss.tolist() == [0, 1, 0]
    assert two.table["noise"].to_pylist() == one.table["noise"].to_pylist()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({**CLASSES, "id": ["a", "b", "d"]}, "'c' is in one table alone"),
        ({**CLASSES, "label": ["cat", "cat", "dog"]}, "label: 'b' is 'cat'; expected 'dog'"),
        ({"id": ["a", "b", "c"], "iou": [0.1, 0.2, 0.3]}, "has other columns"),
    ],
)
def test_tables_that_do_not_agree_are_refused(tmp_path: Path, other: dict, said: str) -> None:
    with pytest.raises(SettingError, match=rf"after: q.parquet: {said}"):
        load_many([written(tmp_path, CLASSES), written(tmp_path, other, name="q")], "after")


def slow(a: str, b: str) -> int:
    """Levenshtein's table, cell by cell."""
    cells = {(i, j): i + j for i, j in product(range(len(a) + 1), range(len(b) + 1)) if not i or not j}
    for i, j in product(range(1, len(a) + 1), range(1, len(b) + 1)):
        cells[i, j] = min(cells[i - 1, j] + 1, cells[i, j - 1] + 1, cells[i - 1, j - 1] + (a[i - 1] != b[j - 1]))
    return cells[len(a), len(b)]


def test_edits_are_levenshteins() -> None:
    generator = np.random.default_rng(4)
    for _ in range(300):
        a, b = ("".join(generator.choice(list("abc"), generator.integers(0, 15))) for _ in range(2))
        assert edits(a, b) == slow(a, b)
    a, b = ("".join(generator.choice(list("abcdef"), 100)) for _ in range(2))  # longer than a machine's word
    assert edits(a, b) == slow(a, b)


def test_words_are_compared_without_case_and_punctuation() -> None:
    assert normalised("  Don’t «STOP», twenty-five_times! ") == ["don't", "stop", "twenty", "five", "times"]
    assert normalised("ﬁne Straße 'n' ５") == ["fine", "strasse", "n", "5"]
    assert wrong("", "").words == 0
