"""The README's commands and programs run as they stand, and its table of recipes is that of the recipes."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sliceforge.engine.cli import main

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def place(clips: Path, strips: Path, noises: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `clips`, `strips` and `noises` in it."""
    here = tmp_path_factory.mktemp("readme")
    for name, folder in (("clips", clips), ("strips", strips), ("noises", noises)):
        shutil.copytree(folder, here / name)
    return here


def test_every_block_runs(place: Path) -> None:
    assert len(BLOCKS) >= 5
    for kind, text in BLOCKS:
        lines = [["-c", text]] if kind == "python" else []
        if kind == "sh":
            words = [shlex.split(line) for line in text.splitlines()]
            assert {line[0] for line in words} == {"sliceforge"}
            lines = [["-m", "sliceforge.engine.cli", *line[1:]] for line in words]
        for line in lines:
            done = subprocess.run([sys.executable, *line], cwd=place, capture_output=True, text=True, env=os.environ)
            assert done.returncode == 0, f"{line}\n{done.stderr}"


def test_the_table_of_recipes_is_that_of_the_folder() -> None:
    rows = dict(
        re.findall(r"^\| `([a-z0-9_/]+)` \| (.*?) \|", TEXT.partition("## Recipes")[2].partition("\n## ")[0], re.M)
    )
    found = {}
    for path in ROOT.glob("recipes/**/*.yaml"):
        name = path.relative_to(ROOT / "recipes").with_suffix("").as_posix()
        found[name] = yaml.safe_load(path.read_text("utf-8"))["about"]
    assert rows == found


def test_the_commands_of_the_loop_are_ones_that_the_verbs_take(capsys: pytest.CaptureFixture[str]) -> None:
    commands = re.findall(r"^\| `sliceforge (.*?)` \|", TEXT, re.M)
    assert {shlex.split(one)[0] for one in commands} == {"find", "allocate", "generate", "verify", "loop"}
    for command in commands:
        verb, *given = shlex.split(command)
        assert main([verb, *given, "--cfg", "job"]) == 0
        shown = yaml.safe_load(capsys.readouterr().out)
        assert {setting.partition("=")[0] for setting in given} <= set(shown)


def test_every_picture_is_there() -> None:
    for picture in re.findall(r"!\[.*?\]\((.*?)\)", TEXT):
        assert (ROOT / picture).is_file()
