"""A loop over transcripts: predictions that there are, Parquet on all sides, speakers kept together, two at a time."""

import shlex
import subprocess
from pathlib import Path

import loop_tasks
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from pyarrow import csv

from sliceforge.engine.cli import main
from sliceforge.engine.loop import splits

READS = 'with open(path, newline="") as file:\n        rows = list(csv.DictReader(file))'
TRANSCRIBES = (
    loop_tasks.LEARNER[: loop_tasks.LEARNER.index("with open(predictions")].replace(
        READS, "import pyarrow.parquet\n    rows = pyarrow.parquet.read_table(path).to_pylist()"
    )
    + """
import pyarrow.parquet
refs, hyps = [row["label"] for row in told], [classes[at] for at in p.argmax(axis=1)]
said = {"id": [row["id"] for row in told], "ref": [f"say {one}" for one in refs], "hyp": [f"say {one}" for one in hyps]}
pyarrow.parquet.write_table(pyarrow.table(said), predictions)
"""
)


def items(folder: Path, count: int, seed: int, noisy: float) -> str:
    """A Parquet table of words, with absolute paths."""
    table = csv.read_csv(loop_tasks.written(folder, sorted(loop_tasks.WORDS) * count, seed, noisy=noisy))
    paths = pa.array([str(folder / path) for path in table["path"].to_pylist()])
    pq.write_table(table.set_column(1, "path", paths), folder / "items.parquet")
    return str(folder / "items.parquet")


def test_models_that_there_are_are_told_what_they_mishear_and_learn_it(tmp_path: Path) -> None:
    train, evaluation = items(tmp_path / "train", 24, 1, 0.0), items(tmp_path / "eval", 80, 2, 0.5)
    command, given = loop_tasks.command(tmp_path, TRANSCRIBES), []
    for seed in range(2):
        given.append(str(tmp_path / f"before_{seed}.parquet"))
        words = command.format(train=train, predictions=given[-1], eval=evaluation, seed=seed)
        subprocess.run(shlex.split(words), check=True)
        more = pa.table({"id": ["elsewhere"], "ref": ["say no"], "hyp": ["say no"]})
        pq.write_table(pa.concat_tables([pq.read_table(given[-1]), more]), given[-1])
    home = tmp_path / "LOOP"
    settings = [f"train={command}", f"data={train}", f"eval={evaluation}", f"predictions=[{','.join(given)}]"]
    settings += ["recipes=[speech/car_noise]", "budget=80", "seeds=2", "jobs=2", "cluster=speaker", "table=parquet"]
    assert main(["loop", *settings, "trial=false", "workers=1", f"out={home}"]) == 0
    verdict = yaml.safe_load((home / "8_verify" / "verdict.yaml").read_text("utf-8"))
    assert (verdict["of"]["kind"], verdict["seeds"]) == ("words", [2, 2])
    assert verdict["changes"][0]["units"] <= len(set(pq.read_table(home / "splits.parquet")["cluster"].to_pylist()))
    known = frozenset(pq.read_table(evaluation)["id"].to_pylist())
    assert frozenset().union(*splits.read(home / "splits.parquet").values()) == known
    assert frozenset(pq.read_table(home / "1_baseline" / "given_1.parquet")["id"].to_pylist()) == known
    assert pq.read_table(home / "7_retrain" / "train.parquet")["made"].to_pylist().count(True) == 80
    assert sorted(path.name for path in home.glob("*/trainings/*")) == ["seed_0", "seed_1"]
