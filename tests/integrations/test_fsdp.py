"""Fully sharded and replicated training on two processes: an epoch has each item once, and both ways learn the same."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader

from sliceforge.engine import Augment, Share, SliceDataset, load

WORLD = 2


def words(clips: str) -> SliceDataset:
    share = Share(load("speech/car_noise", "rate=16000"), share=0.5)
    return SliceDataset(clips, [share], 7, pattern="{label}_{speaker}_{index}", seconds=0.3)


def network(way: str) -> nn.Module:
    torch.manual_seed(1)
    layers = nn.Sequential(nn.Linear(4800, 16), nn.ReLU(), nn.Linear(16, 10))
    if way == "replicated":
        return DistributedDataParallel(layers)
    for layer in (layers[0], layers[2], layers):
        fully_shard(layer)
    return layers


def weights(model: nn.Module) -> list[list[float]]:
    """Of each layer, whole."""
    found: list[Any] = [one.detach() for one in model.parameters()]
    return [(one.full_tensor() if hasattr(one, "full_tensor") else one).flatten().tolist() for one in found]


def epoch(rank: int, clips: str, out: str) -> None:
    """What one process trains on, and what it has learnt."""
    dist.init_process_group("gloo", init_method=f"file://{out}/meeting", rank=rank, world_size=WORLD)
    found = {}
    for way in ("replicated", "sharded"):
        dataset, model = words(clips), network(way)
        feed = Augment(dataset)(DataLoader(dataset, 4, shuffle=True, collate_fn=dataset.collate))
        optimizer, before, ids = torch.optim.SGD(model.parameters(), 0.1), weights(model), []
        for batch in feed:
            ids.append(batch["id"])
            nn.functional.cross_entropy(model(batch["audio"]), batch["target"]).backward()
            optimizer.step()
            optimizer.zero_grad()
        assert len(ids) == len(feed)
        found[way] = {"ids": ids, "before": before, "after": weights(model)}
    Path(out, f"{rank}.json").write_text(json.dumps(found))
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def ranks(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of two processes trained on."""
    out = tmp_path_factory.mktemp("ranks")
    alone = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, __file__, str(clips), str(out)], check=True, timeout=120, env=alone)
    return [json.loads((out / f"{rank}.json").read_text()) for rank in range(WORLD)]


@pytest.mark.parametrize("way", ["replicated", "sharded"])
def test_both_ranks_together_see_each_item_of_an_epoch_once(way: str, clips: Path, ranks: list[dict[str, Any]]) -> None:
    batches = [rank[way]["ids"] for rank in ranks]
    assert len(batches[0]) == len(batches[1])
    seen = [item for rank in batches for batch in rank for item in batch]
    assert sorted(seen) == sorted(draft.row["id"] for draft in words(str(clips)))


def test_both_ways_learn_the_same(ranks: list[dict[str, Any]]) -> None:
    first = ranks[0]["replicated"]
    assert first["after"] != first["before"]
    for rank in ranks:
        for way in ("replicated", "sharded"):
            for mine, want in zip(rank[way]["after"], first["after"], strict=True):
                # Gradients of two ranks are added in one order or the other.
                assert mine == pytest.approx(want, abs=1e-6)


if __name__ == "__main__":
    # Forked before anything has run that a fork must not find.
    torch.multiprocessing.start_processes(epoch, (sys.argv[1], sys.argv[2]), WORLD, start_method="fork")
