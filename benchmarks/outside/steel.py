"""Does a run of scratched steel keep its word? Checked from its files alone; nothing of Sliceforge is imported.

python benchmarks/outside/steel.py RUN DATA

The change is written − parent; masks and boxes against it, contrast in the mask against the steel around it, and the
shards as the webdataset library reads them.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import webdataset
from PIL import Image
from scipy.ndimage import binary_dilation


def grey(source: Path | io.BytesIO) -> np.ndarray:
    """(H, W, C) float64 in grey levels."""
    pixels = np.asarray(Image.open(source), np.float64)
    return pixels[..., None] if pixels.ndim == 2 else pixels


def main(run: Path, data: Path) -> None:
    """Print one line for each finding, and fail where a bar is missed."""
    manifest = {row["id"]: row for row in pq.read_table(run / "manifest.parquet").to_pylist()}
    rejects = pq.read_table(run / "rejects.parquet").num_rows
    shards = sorted(map(str, (run / "shards").glob("*.tar")))
    seen = wrong_boxes = outside = missing = 0
    overlaps, contrasts, sizes = [], [], set()
    for sample in webdataset.WebDataset(shards, shardshuffle=False):
        row = manifest[json.loads(sample["json"])["id"]]
        seen += 1
        after = grey(io.BytesIO(sample[row["path"].rpartition(".")[2]]))
        before = grey(data / row["parent_path"])
        mask = grey(io.BytesIO(sample["mask.png"]))[..., 0] > 127
        change = np.abs(after - before).max(axis=2)
        sizes.add(after.shape)
        overlaps.append((mask & (change >= 1)).sum() / (mask | (change >= 1)).sum())
        outside += int((change[~mask] > 0).sum())
        missing += int((change[mask] == 0).sum())
        union = np.zeros_like(mask)
        for x0, y0, x1, y1 in row["boxes"]:
            union[y0:y1, x0:x1] = True
            inside = mask[y0:y1, x0:x1]
            tight = inside[0].any() and inside[-1].any() and inside[:, 0].any() and inside[:, -1].any()
            wrong_boxes += not tight
        wrong_boxes += bool((mask & ~union).any())
        ring = binary_dilation(mask, iterations=8) & ~mask
        steel = before.mean(axis=2)[ring if ring.any() else ~mask]
        contrasts.append(change[mask].max() / max(1.0, steel.std()))
    accepted = len(manifest) / (len(manifest) + rejects)
    print(f"{seen} items read by webdataset, {len(manifest)} in the manifest, {rejects} rejects: {accepted:.3%}")
    print(f"shapes: {sorted(sizes)}")
    print(f"mask against change of at least 1 grey level: IoU least {min(overlaps):.4f}, mean {np.mean(overlaps):.5f}")
    print(f"changed pixels outside every mask: {outside}; unchanged inside: {missing}; boxes wrong: {wrong_boxes}")
    print(f"greatest change over the sd of the steel around it: 1 % quantile {np.quantile(contrasts, 0.01):.2f}")
    if seen != len(manifest) or outside or wrong_boxes or min(overlaps) < 0.98 or accepted < 0.995:
        sys.exit(1)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
