"""What is installed: one import name, every YAML, the built-in material, and an unmistakable layout."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("conf", "engine", "kernels", "material", "recipes")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel built from a copy of the tracked folders."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", str(out)]
    subprocess.run([*command, str(ROOT)], check=True, capture_output=True)
    return zipfile.ZipFile(next(out.glob("*.whl")))


def test_a_wheel_carries_every_module_recipe_setting_and_clip(wheel: zipfile.ZipFile) -> None:
    carried = {name.removeprefix("sliceforge/") for name in wheel.namelist() if name.startswith("sliceforge/")}
    suffixes = {".py", ".yaml", ".flac", ".png", ".csv", ".md", ".typed", ".html", ".css", ".js"}
    there = {
        path.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in suffixes and "__pycache__" not in path.parts
    }
    assert carried == there


def test_the_folders_are_never_imported_bare() -> None:
    bare = re.compile(r"^\s*(from|import) (engine|kernels|conf|recipes|material)\b", re.MULTILINE)
    for folder in (*FOLDERS, "tests", "benchmarks", "examples"):
        for path in (ROOT / folder).rglob("*.py"):
            assert not bare.search(path.read_text("utf-8")), path


def test_no_file_names_a_machine_or_a_registry() -> None:
    unwanted = re.compile(
        "|".join(["/" + "home/", "/" + "work/", "/" + "root/", "pypi" + r"\.org", "--" + "index-url"])
    )
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        path = ROOT / name
        if path.suffix in {".py", ".md", ".yaml", ".toml", ".txt", ".csv", ".json", ""} and path.is_file():
            found = unwanted.search(path.read_text("utf-8"))
            assert not found, f"{name}: {found}"


def test_a_file_that_passes_300_lines_wants_splitting() -> None:
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            assert len(path.read_text("utf-8").splitlines()) <= 300, path
