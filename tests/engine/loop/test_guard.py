"""Each way in which what is evaluated can get into training is planted once, and each is found and named."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sliceforge.engine.banks import Shelf
from sliceforge.engine.errors import SettingError
from sliceforge.engine.loop.allocate.budget import APART, Budget
from sliceforge.engine.loop.generate import guard
from sliceforge.engine.loop.generate.prepared import prepared
from sliceforge.engine.manifest import read


def clips(folder: Path, names: list[str], first: int) -> Path:
    """Clips of noise that no other has, with a table `path,label,speaker,recording`."""
    folder.mkdir()
    lines = ["path,label,speaker,recording"]
    for i, name in enumerate(names):
        sound = np.random.default_rng(first + i).normal(0, 0.1, 800).astype(np.float32)
        soundfile.write(folder / f"{name}.wav", sound, 8000, subtype="PCM_16")
        lines.append(f"{name}.wav,go,{name[0]}{i % 2},{folder.name}{i}")
    table = folder / "table.csv"
    table.write_text("\n".join(lines) + "\n")
    return table


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """Training and evaluation that share nothing."""
    return clips(tmp_path / "train", ["a1", "a2", "a3"], 0), clips(tmp_path / "eval", ["b1", "b2"], 9)


def check(train: Path, held: Path, apart: tuple[str, ...] = APART) -> None:
    prepared(Budget((), train=str(train), data=str(held), apart=apart), "audio")


def test_sides_that_share_nothing_pass(sides: tuple[Path, Path]) -> None:
    check(*sides)


def listed(train: Path, held: Path) -> None:
    """One table lists a file of the other's, under another name."""
    (train.parent.parent / "both.csv").write_text("id,path,label\nx,train/a1.wav,go\ny,eval/b2.wav,go\n")


def copied(train: Path, held: Path) -> None:
    shutil.copy(held.parent / "b2.wav", train.parent / "a3.wav")


def recorded(train: Path, held: Path) -> None:
    train.write_text(train.read_text().replace("train1", "eval0"))


@pytest.mark.parametrize(
    ("plant", "says"),
    [
        (listed, "y is evaluated: its file is b2 of data"),
        (copied, "a3 has the same bytes as b2 of data"),
        (recorded, "a2: its recording eval0 is in data"),
    ],
)
def test_a_planted_breach_is_named(
    plant: Callable[[Path, Path], None], says: str, sides: tuple[Path, Path], tmp_path: Path
) -> None:
    plant(*sides)
    train = tmp_path / "both.csv" if plant is listed else sides[0]
    with pytest.raises(SettingError, match=f"train: {says}; expected") as caught:
        check(train, sides[1])
    assert caught.value.code == 2


def test_splits_of_one_table_are_kept_apart_too(sides: tuple[Path, Path]) -> None:
    train = sides[0]
    rows = train.read_text().splitlines()
    splits = ["split", "train", "train", "test"]
    train.write_text("\n".join(f"{row},{split}" for row, split in zip(rows, splits, strict=True)) + "\n")
    found = prepared(Budget((), train=str(train)), "audio")
    assert found.trains.tolist() == [True, True, False]
    assert found.held_out == ("a3",)
    train.write_text(train.read_text().replace("train2", "train0"))
    with pytest.raises(SettingError, match="a1: its recording train0 is in its other splits"):
        prepared(Budget((), train=str(train)), "audio")


def test_ids_of_predictions_decide_where_no_evaluation_data_say_which_files_they_are(
    sides: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "p.csv").write_text("id,label,pred\na2,go,go\nz,go,no\n")
    own = Budget((), train=str(sides[0]), predictions=str(tmp_path / "p.csv"))
    with pytest.raises(SettingError, match="a2 is evaluated: predictions has it"):
        prepared(own, "audio")
    (tmp_path / "p.csv").write_text("id,label,pred\nb1,go,go\n")
    prepared(own, "audio")


def test_only_predicted_rows_of_a_table_that_holds_both_are_evaluated(sides: tuple[Path, Path], tmp_path: Path) -> None:
    whole = tmp_path / "whole.csv"
    whole.write_text("id,path,label\na1,train/a1.wav,go\nb1,eval/b1.wav,go\n")
    (tmp_path / "p.csv").write_text("id,label,pred\nb1,go,go\n")
    prepared(Budget((), train=str(sides[0]), data=str(whole), predictions=str(tmp_path / "p.csv")), "audio")
    with pytest.raises(SettingError, match="a1 is evaluated"):
        prepared(Budget((), train=str(sides[0]), data=str(whole)), "audio")


def test_a_shared_speaker_is_told_and_refused_where_that_is_asked(sides: tuple[Path, Path]) -> None:
    sides[1].write_text(sides[1].read_text().replace("b0", "a0"))
    found = prepared(Budget((), train=str(sides[0]), data=str(sides[1])), "audio")
    assert "1 speakers are trained on and evaluated" in found.notes[0]
    with pytest.raises(SettingError, match="its speaker a0 is in data"):
        check(*sides, (*APART, "speaker"))


@pytest.mark.parametrize("how", ["file", "bytes", "group"])
def test_a_bank_with_material_of_what_is_evaluated_is_refused(
    how: str, sides: tuple[Path, Path], tmp_path: Path
) -> None:
    train, held = (read(str(side), "audio") for side in sides)
    bank = clips(tmp_path / "bank", ["n1", "n2"], 50)
    bank.write_text(bank.read_text().replace("speaker,", "who,"))

    def checked(place: Path) -> None:
        both = [
            guard.Side.of(one, np.ones(len(one.table), bool), said) for one, said in ((train, "train"), (held, "data"))
        ]
        guard.check_banks(Shelf.open({"noise": str(place)}), train, both[0], both[1:])

    checked(bank)
    if how == "bytes":
        shutil.copy(sides[1].parent / "b1.wav", tmp_path / "bank" / "n2.wav")
    elif how == "group":
        bank.write_text(bank.read_text().replace("bank1", "eval1"))
    with pytest.raises(SettingError, match=r"banks\.noise: .*(is b1 of data|its group eval1 is in data)"):
        checked(sides[1] if how == "file" else bank)


def test_suspects_are_no_parents(sides: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "relabel.csv").write_text("id,doubt\na1,0.9\nelsewhere,0.5\n")
    found = prepared(Budget((), train=str(sides[0]), suspects=str(tmp_path / "relabel.csv")), "audio")
    assert found.trains.all()
    assert found.usable.tolist() == [False, True, True]
    assert found.held_out == ("a1",)
