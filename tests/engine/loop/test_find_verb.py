"""The verb find on clips and images with planted faults: what is weak, why, and what is written."""

import csv
import shutil
from importlib.resources import files
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
import yaml
from signals import voice

from sliceforge.engine.cli import main
from sliceforge.engine.loop.rows.slices import header, read

PATTERN = "{label}_{speaker}_{index}"
RATE = 8000
TILES = str(files("sliceforge.material") / "tiles" / "manifest.csv")
pytestmark = pytest.mark.usefixtures("kept")


def spoken(folder: Path, generator: np.random.Generator, count: int, noisy: float) -> np.ndarray:
    """Clips of four classes, a share of them in noise at 0 to 6 dB; which they are, (N,) bool."""
    folder.mkdir(parents=True)
    car = generator.random(count) < noisy
    for i, loud in enumerate(car):
        clip = voice(0.25 + 0.04 * (i % 4), RATE, 90 + 40 * generator.random())
        snr = generator.uniform(0, 6) if loud else generator.uniform(26, 34)
        clip = clip + generator.normal(0, np.sqrt(np.mean(clip**2)) * 10 ** (-snr / 20), len(clip))
        sound = 0.5 * clip / np.abs(clip).max()
        soundfile.write(
            folder / f"c{i % 4}_{'uv'[i // 4 % 2]}_{i}.wav", sound.astype(np.float32), RATE, subtype="PCM_16"
        )
    return car


def predicted(folder: Path, wrong: np.ndarray, place: Path, **more: list) -> Path:
    """A table of what a model said of the clips of a folder: another class where it is wrong."""
    with place.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "label", "pred", *more])
        for path in folder.glob("*.wav"):
            i = int(path.stem.split("_")[2])
            said = f"c{(i + wrong[i]) % 4}"
            rows.writerow([path.stem, f"c{i % 4}", said, *(column[i] for column in more.values())])
    return place


@pytest.fixture(scope="module")
def car(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `train`, clean, `eval`, a fourth in noise, and `P.csv` of a model that noise confuses."""
    folder = tmp_path_factory.mktemp("car")
    generator = np.random.default_rng(0)
    spoken(folder / "train", generator, 160, 0)
    noisy = spoken(folder / "eval", generator, 240, 0.25)
    wrong = generator.random(240) < np.where(noisy, 0.6, 0.06)
    predicted(folder / "eval", wrong, folder / "P.csv")
    return folder


def found(folder: Path, *more: str) -> list[str]:
    return ["find", f"predictions={folder / 'P.csv'}", f"out={folder / 'o' / 'slices.yaml'}", *more]


def items(folder: Path) -> list[str]:
    train = [f"train={folder / 'train'}", f"train_pattern={PATTERN}"]
    return [f"data={folder / 'eval'}", f"pattern={PATTERN}", *train]


def test_noise_is_found_by_what_is_measured_and_called_a_nuisance(
    car: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(found(car, *items(car))) == 0
    said = capsys.readouterr().out
    (one,) = read(car / "o" / "slices.yaml")
    assert one.cause == "nuisance"
    assert one.error > 0.4 > 0.15 > one.reference
    assert one.interval[0] <= one.gap <= one.interval[1]
    assert "acts on it" in one.evidence[0]
    assert "audio/mix.snr" in " ".join(one.evidence)
    # The noise was drawn at 0 to 6 dB, and the estimate is good to a few.
    assert -3 < one.attributes["snr_est"].median < 9
    assert one.attributes["snr_est"].low <= one.attributes["snr_est"].median <= one.attributes["snr_est"].high
    of = header(car / "o" / "slices.yaml")["of"]
    assert (of["rows"], of["loss"]) == (240, "wrong")
    assert "nuisance" in said
    assert "next: Make items for slice 1:\n  sliceforge allocate slices=" in said
    table = said.split("\n1. nuisance")[0].splitlines()
    assert max(map(len, table)) <= 80
    assert f"{100 * one.error:.1f} %" in said
    assert (car / "o" / "slices.html").is_file()
    assert not (car / "o" / "relabel.csv").exists()


def test_the_same_command_writes_the_same_bytes(car: Path) -> None:
    files = [car / "o" / name for name in ("slices.yaml", "slices.html")]
    assert main(found(car, *items(car))) == 0
    first = [path.read_bytes() for path in files]
    assert main(found(car, *items(car))) == 0
    assert [path.read_bytes() for path in files] == first


def test_a_class_cut_to_six_is_found_and_called_scarce(car: Path, tmp_path: Path) -> None:
    few = tmp_path / "train"
    few.mkdir()
    for path in sorted((car / "train").iterdir()):
        if not path.stem.startswith("c2") or len(list(few.glob("c2*"))) < 6:
            shutil.copy(path, few)
    clean = tmp_path / "eval"
    generator = np.random.default_rng(1)
    spoken(clean, generator, 240, 0)
    wrong = generator.random(240) < np.where(np.arange(240) % 4 == 2, 0.5, 0.05)
    predicted(clean, wrong, tmp_path / "P.csv")
    assert main(found(tmp_path, *items(tmp_path))) == 0
    one = read(tmp_path / "o" / "slices.yaml")[0]
    assert "label = 'c2'" in one.where or "seconds" in one.where
    named = next(one for one in read(tmp_path / "o" / "slices.yaml") if "label = 'c2'" in one.where)
    assert named.cause == "scarcity"
    assert named.evidence[0].startswith("6 of 126 training items have label = 'c2'")


def test_where_errors_are_chance_nothing_is_found_and_the_least_gap_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(2)
    count = 1000
    columns: dict = {f"x{i}": generator.normal(0, 1, count) for i in range(4)}
    columns |= {"id": [f"i{i}" for i in range(count)], "site": generator.choice(list("abc"), count)}
    columns |= {"loss": (generator.random(count) < 0.2).astype(float)}
    pq.write_table(pa.table(columns), tmp_path / "P.parquet")
    out = tmp_path / "s.yaml"
    assert main(["find", f"predictions={tmp_path / 'P.parquet'}", f"out={out}"]) == 0
    said = capsys.readouterr().out
    assert "no slice is worse than the rest; with 80 % power" in said
    assert "30 rows a gap of" in said
    assert "100 rows a gap of" in said
    assert read(out) == []
    assert "Nothing found" in out.with_suffix(".html").read_text()


def test_flipped_labels_are_told_before_anything_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    generator, count = np.random.default_rng(3), 1200
    true = generator.integers(0, 3, count)
    label = np.where(generator.random(count) < 0.12, (true + 1) % 3, true)
    p = np.full((count, 3), 0.02)
    p[np.arange(count), np.where(generator.random(count) < 0.97, true, (true + 2) % 3)] = 0.96
    columns: dict = {"id": [f"i{i}" for i in range(count)], "label": [f"c{one}" for one in label]}
    columns |= {f"p_c{j}": p[:, j] for j in range(3)} | {"site": generator.choice(["n", "s"], count)}
    pq.write_table(pa.table(columns), tmp_path / "P.parquet")
    out = tmp_path / "slices.yaml"
    more = [f"train_predictions={tmp_path / 'P.parquet'}"]
    for extra in ([], more):
        assert main(["find", f"predictions={tmp_path / 'P.parquet'}", f"out={out}", *extra]) == 0
        assert "fix the labels first" in (said := capsys.readouterr().out)
        assert "next: Fix the labels first: " in said
        assert header(out)["labels"]["fix"] is True
    with (tmp_path / "relabel.csv").open() as file:
        queue = {row["id"] for row in csv.DictReader(file)}
    planted = {f"i{i}" for i in np.flatnonzero(label != true)}
    assert len(queue & planted) > 0.9 * len(planted)


def test_what_production_has_more_of_is_found_as_drift(
    car: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(4)
    for name, share in (("before", 0.02), ("after", 0.35)):
        count = 600
        rain = generator.random(count) < share
        columns = {"id": [f"i{i}" for i in range(count)], "p_a": generator.random(count)}
        columns |= {"weather": np.where(rain, "rain", "dry"), "gain": generator.normal(0, 1, count)}
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    out = tmp_path / "s.yaml"
    both = [f"predictions={tmp_path / 'before.parquet'}", f"production={tmp_path / 'after.parquet'}"]
    assert main(["find", *both, f"out={out}"]) == 0
    said = capsys.readouterr().out
    assert [one.where for one in read(out)] == ["weather = 'rain'"]
    assert header(out)["of"]["loss"] == "drift"
    drifted = {
        line.split()[0]: line.split()[-1] for line in said.splitlines() if line.strip()[-3:].strip() in ("yes", "no")
    }
    assert drifted == {"weather": "yes", "gain": "no", "p_a": "no"}


def test_words_are_weighed_and_speakers_held_together(tmp_path: Path) -> None:
    generator, count = np.random.default_rng(5), 600
    speaker = np.arange(count) % 30
    quiet = speaker < 6
    said = ["one two three four"] * count
    heard = ["one two" if q and generator.random() < 0.7 else "one two three four" for q in quiet]
    table = {"id": [f"i{i}" for i in range(count)], "ref": said, "hyp": heard, "mic": np.where(quiet, "far", "near")}
    pq.write_table(pa.table(table | {"speaker": [f"s{one}" for one in speaker]}), tmp_path / "P.parquet")
    out = tmp_path / "s.yaml"
    assert main(["find", f"predictions={tmp_path / 'P.parquet'}", f"out={out}", "cluster=speaker"]) == 0
    (one,) = read(out)
    assert one.where == "mic = 'far'"
    assert one.error == pytest.approx(0.35, abs=0.05)
    assert header(out)["of"]["loss"] == "words"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["predictions="], "predictions: expected a table of what a model said"),
        (["out=slices.json"], "out: slices.json: expected a YAML file"),
        (["pattern={label}"], "is for the files of data; expected data=FOLDER too"),
        (["cluster=speeker"], "cluster: no column 'speeker'"),
        (["depth=4"], "depth: 4: expected 1, 2 or 3"),
        (["q=0"], "q: 0: expected a rate between 0 and 1"),
        (["way=halves"], "did you mean half"),
        (["train=nowhere"], "train: nowhere: no such file or folder"),
        (["data={eval}", f"pattern={PATTERN}", f"train={TILES}"], "is image, and data is audio; expected the same"),
    ],
)
def test_a_wrong_setting_is_one_line_and_ends_with_two(
    car: Path, capsys: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    assert main(found(car, *(one.replace("{eval}", str(car / "eval")) for one in more))) == 2
    assert said in (line := capsys.readouterr().err)
    assert line.count("\n") == 1


def test_the_configuration_is_what_the_command_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["find", "predictions=P.parquet", "cluster=got.speaker", "--cfg", "job"]) == 0
    config = yaml.safe_load(capsys.readouterr().out)
    assert config["cluster"] == "got.speaker"
    assert config["out"] == "slices.yaml"


def test_weak_clusters_of_an_embedding_are_told_beside_the_slices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(2)
    weak, label = np.arange(600) < 150, ["a"] * 600
    points = np.where(weak[:, None], 6.0, 0.0) + generator.normal(size=(600, 8))
    said = np.where(generator.random(600) < np.where(weak, 0.5, 0.1), "b", "a")
    columns = {
        "id": [f"i{at}" for at in range(600)],
        "label": label,
        "pred": said,
        "side": generator.choice(["l", "r"], 600),
    }
    pq.write_table(pa.table(columns | {"vector": list(points)}), tmp_path / "P.parquet")
    given = [f"predictions={tmp_path / 'P.parquet'}", f"out={tmp_path / 'slices.yaml'}"]
    assert main(["find", *given, "embedding=vector"]) == 0
    assert "embedding: 1 cluster worse than the rest" in capsys.readouterr().out
    (found,) = header(tmp_path / "slices.yaml")["of"]["clusters"]
    assert found["rows"] == pytest.approx(150, abs=5)
    assert found["shared"] < 0.3
    assert "Weak clusters" in (tmp_path / "slices.html").read_text("utf-8")
    assert main(["find", *given, "embedding=side"]) == 2
    assert "expected a list of finite numbers" in capsys.readouterr().err
