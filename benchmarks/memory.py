"""Twenty epochs of a loader: does the training process, or a worker, grow?

python benchmarks/memory.py [DATA PATTERN]

Prints JSON: the resident memory of the training process and of its workers at the end of each epoch, in MiB.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
from pathlib import Path

from torch.utils.data import DataLoader

from sliceforge.engine import Augment, Share, SliceDataset, load

EPOCHS = 20


def resident(process: int | str) -> float:
    """Resident memory of a process, MiB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024, 1)


def main() -> None:
    """Go through the epochs, print."""
    data, pattern = sys.argv[1:] or (None, "")
    dataset = SliceDataset(data, [Share(load("speech/car_noise"), share=0.5)], 7, pattern=pattern)
    augment = Augment(dataset)
    loader = DataLoader(dataset, 32, shuffle=True, num_workers=1, collate_fn=dataset.collate, persistent_workers=True)
    main_process, workers, items = [], [], 0
    for epoch in range(1, EPOCHS + 1):
        items += sum(len(batch["id"]) for batch in augment(loader, epoch))
        main_process.append(resident("self"))
        workers.append([resident(child.pid or 0) for child in multiprocessing.active_children()])
    print(json.dumps({"items": items, "training_process": main_process, "workers": workers}))


if __name__ == "__main__":
    main()
