"""The main job on the built-in material: car noise into speech, scratches onto steel; a sheet and a table of both.

make demo
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import soundfile
from PIL import Image
from rich.console import Console
from rich.table import Table

from sliceforge.engine.report.sheet import Panel, Row, change, overlay, rgb, sheet, spectrum_over_time

OUT = Path("runs/demo")
MATERIAL = Path(str(files("sliceforge.material")))


def generate(recipe: str, *settings: str) -> Path:
    """Run the command as a user would, and say what was run."""
    out = OUT / recipe.replace("/", "_")
    shutil.rmtree(out, ignore_errors=True)
    command = ["sliceforge", "generate", f"recipe={recipe}", f"out={out}", "seed=7", *settings]
    print("$", " ".join(command), flush=True)
    subprocess.run([sys.executable, "-m", "sliceforge.engine.cli", *command[1:]], check=True)
    return out


def items(run: Path) -> list[tuple[dict[str, Any], dict[str, bytes]]]:
    """(manifest row, suffix → bytes) of each made item."""
    found = []
    for row in pq.read_table(run / "manifest.parquet").to_pylist():
        shard, _, name = row["path"].partition(".tar/")
        stem = name.partition(".")[0]
        with tarfile.open(run / f"{shard}.tar") as tar:
            files = {
                member.name.removeprefix(f"{stem}."): tar.extractfile(member).read()  # type: ignore[union-attr]
                for member in tar
                if member.name.startswith(f"{stem}.")
            }
        found.append((row, files))
    return found


def pixels(data: bytes | Path) -> np.ndarray:
    """(H, W, C) float32 of 0…1."""
    image = np.asarray(Image.open(io.BytesIO(data) if isinstance(data, bytes) else data), np.float32) / 255
    return image[..., None] if image.ndim == 2 else image


def steel_rows(run: Path, count: int) -> list[Row]:
    """Parent, made item, its label, and the change."""
    rows = []
    for row, made in items(run)[:count]:
        before = pixels(MATERIAL / "strips" / row["parent_path"])
        after, mask = pixels(made["png"]), pixels(made["mask.png"])[..., 0] > 0.5
        panels = [Panel(rgb(before, 285), "parent"), Panel(rgb(after, 285), "made")]
        panels += [
            Panel(rgb(overlay(after, mask), 285), "label"),
            Panel(rgb(change(before, after), 285), "change, 8 times"),
        ]
        contrast = f"contrast-to-noise {row['got.visible']:.1f}, asked at least {row['asked.visible']:.1f}"
        rows.append(Row(f"{row['id']}   {contrast}", panels))
    return rows


def speech_rows(run: Path, count: int) -> list[Row]:
    """Spectrograms of parent, made item and the noise that was added."""
    rows = []
    for row, made in items(run)[:count]:
        before, rate = soundfile.read(MATERIAL / "speech" / row["parent_path"], dtype="float32")
        after, _ = soundfile.read(io.BytesIO(made["flac"]), dtype="float32")
        noise = after - np.float32(row["got.gain"]) * before
        parts = {"parent": before, "made": after, "noise: made less gain times parent": noise}
        panels = [Panel(spectrum_over_time(audio, rate, 384, 190), name) for name, audio in parts.items()]
        levels = f"SNR asked {row['asked.snr']:.1f} dB, got {row['got.snr']:.1f} dB; {row['speed']:.0f} km/h"
        rows.append(Row(f"{row['id']}   “{row['transcript']}”   {levels}", panels))
    return rows


def table(runs: dict[Path, tuple[str, str]]) -> Table:
    """Asked against achieved, item by item; `runs` is run → (gate, what it measures)."""
    shown = Table(title="asked against achieved, measured on the items as they were written")
    for column in ("item", "label", "measure", "asked", "got", "draws"):
        shown.add_column(column, justify="right" if column in ("asked", "got", "draws") else "left")
    for run, (gate, measure) in runs.items():
        for row in pq.read_table(run / "manifest.parquet").slice(0, 10).to_pylist():
            least = "≥ " if gate == "visible" else ""
            numbers = (f"{least}{row[f'asked.{gate}']:.2f}", f"{row[f'got.{gate}']:.2f}", str(row["attempt"] + 1))
            shown.add_row(row["id"], row["label"], measure, *numbers)
        shown.add_section()
    return shown


def main() -> None:
    """Make, look, tell."""
    speech, steel = generate("speech/car_noise", "variants=4"), generate("steel/scratches", "variants=4")
    picture = sheet([*speech_rows(speech, 4), *steel_rows(steel, 4)], columns=1)
    picture.save(OUT / "sheet.png")
    gates = {speech: ("snr", "SNR, dB, active speech level"), steel: ("visible", "contrast-to-noise ratio")}
    Console(width=100).print(table(gates))
    print(f"Look at {OUT / 'sheet.png'}")


if __name__ == "__main__":
    main()
