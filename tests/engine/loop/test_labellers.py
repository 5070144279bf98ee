"""Labels by several people, as columns of a table, judged from the command line."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from sliceforge.engine.cli import main
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.diagnose.labellers import labellers
from sliceforge.engine.tables import read_table


def found(folder: Path, columns: dict[str, list[object]]) -> int:
    lines = [",".join(columns), *(",".join(f'"{one}"' for one in row) for row in zip(*columns.values(), strict=True))]
    (folder / "p.csv").write_text("\n".join(lines) + "\n", "utf-8")
    return main(["find", f"predictions={folder / 'p.csv'}", f"out={folder / 'slices.yaml'}", "depth=1"])


def test_three_ways_to_write_a_clip_are_three_conventions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = ["today's weather", "turn left", "play some music", "louder please"]
    texts = [said[i % 4] for i in range(48)]
    table = {"id": [f"c{i}" for i in range(48)], "ref": texts, "hyp": texts, "speaker": ["ann", "bob", "cy"] * 16}
    forms = {"jo": "Um, {}", "kim": "Um... {}", "lee": "{}"}
    for name, form in forms.items():
        table[f"transcript_by_{name}"] = [form.format(text if name != "lee" else text.capitalize()) for text in texts]
    table["transcript_by_lee"][1] = "Turn right"
    assert found(tmp_path, table) == 0
    told = capsys.readouterr().out
    assert "fillers, 3 conventions to choose from in 48 of 48 clips" in told
    for shown in (
        "dropped (lee 48: «Today's weather»)",
        "kept with a comma (jo 48",
        "kept with an ellipsis (kim 48",
    ):
        assert shown in told
    queue = read_table(tmp_path / "relabel.csv", "queue").to_pylist()
    assert [(row["id"], row["proposed"]) for row in queue] == [("c1", "Um, turn left")]


def test_labellers_who_do_not_agree_close_the_gate_and_are_no_slices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(0)
    true = generator.integers(0, 3, 120)
    table = {"id": [f"c{i}" for i in range(120)], "label": list(true), "pred": list(true), "site": list("ab") * 60}
    for name in ("jo", "kim"):
        table[f"label_by_{name}"] = list(np.where(generator.random(120) < 0.5, true, generator.integers(0, 3, 120)))
    assert found(tmp_path, table) == 0
    told = capsys.readouterr().out
    assert "not reliable, the limit is 0.667" in told
    assert "labels: fix the labels first, then generate" in told
    assert "(5 tested" in told  # two sites and three labels, and nothing of the labellers


def test_boxes_are_read_and_two_kinds_of_labels_are_refused() -> None:
    table = pa.table({"boxes_by_jo": ["[[0, 0, 4, 4]]", None], "boxes_by_kim": ["[]", "[[1, 1, 2, 2]]"]})
    by = labellers(table)
    assert by is not None
    assert by.distance(*(values[0] for values in by.ratings.values())) == 1
    assert by.some(None)
    assert not by.some(np.array([False, True]))
    assert labellers(table.select(["boxes_by_jo"])) is None
    more = table.append_column("label_by_jo", pa.array(["a", "b"])).append_column("label_by_kim", pa.array(["a", "b"]))
    with pytest.raises(SettingError, match="expected labels of one kind"):
        labellers(more)
