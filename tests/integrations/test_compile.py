"""Batches of one shape: a compiled model is compiled once; and mixed precision trains on them."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import snippets
import torch
from torch import nn
from torch.utils.data import DataLoader

from sliceforge.engine import Augment, Share, SliceDataset, load
from sliceforge.engine.feed import Feed

BACKEND = "inductor" if shutil.which("g++") or shutil.which("clang++") else "aot_eager"
"""Inductor needs a C++ compiler; without one the graphs are the same, and run as they are."""

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:torch"),  # inductor's own imports
]


def feed_of(folder: Path, recipe: str, **more: Any) -> Feed:
    dataset = SliceDataset(str(folder), [Share(load(recipe, *more.pop("settings", ())), share=0.5)], 7, **more)
    return Augment(dataset)(DataLoader(dataset, 5, shuffle=True, drop_last=True, collate_fn=dataset.collate))


def speech(clips: Path) -> Feed:
    """Clips of as many samples."""
    return feed_of(clips, "speech/car_noise", settings=["rate=16000"], seconds=0.3, pattern="{label}_{speaker}_{index}")


def steel(strips: Path) -> Feed:
    """Images of one size."""
    return feed_of(strips, "steel/scratches", size={"height": 32, "width": 48})


def network_of(feed: Feed, kind: str) -> nn.Module:
    """One hidden layer: what takes long to compile is not what is looked at."""
    torch.manual_seed(1)
    count = next(iter(feed))[kind][0].numel()
    return nn.Sequential(nn.Flatten(), nn.Linear(count, 16), nn.ReLU(), nn.Linear(16, 10))


@pytest.mark.parametrize("kind", ["audio", "image"])
def test_a_compiled_model_is_compiled_once(kind: str, clips: Path, strips: Path) -> None:
    feed = speech(clips) if kind == "audio" else steel(strips)
    network = network_of(feed, kind)
    torch._dynamo.reset()
    compiled = torch.compile(network, backend=BACKEND)
    counters = torch._dynamo.utils.counters
    counters.clear()
    optimizer = torch.optim.SGD(network.parameters(), 1e-3)
    shapes, graphs = set(), []
    for _ in range(2):
        for batch in feed:
            shapes.add((batch[kind].shape, batch[kind].dtype, batch[kind].stride()))
            nn.functional.cross_entropy(compiled(batch[kind].float()), batch["target"].clamp(min=0)).backward()
            optimizer.step()
            optimizer.zero_grad()
            graphs.append(counters["stats"]["unique_graphs"])
    assert len(shapes) == 1
    assert set(graphs) == {1}
    assert not counters["recompiles"]
    assert len(graphs) == 2 * len(feed)


def test_a_model_trains_in_bfloat16(clips: Path) -> None:
    feed, losses = speech(clips), []
    network = network_of(feed, "audio")
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(8):
        for batch in feed:
            with torch.autocast("cpu", torch.bfloat16):
                logits = network(batch["audio"])
                loss = nn.functional.cross_entropy(logits, batch["target"])
            assert (logits.dtype, batch["audio"].dtype) == (torch.bfloat16, torch.float32)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
    assert all(one.dtype == torch.float32 for one in network.parameters())
    assert sum(losses[-4:]) < sum(losses[:4])


def test_the_program_in_the_documentation_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (program,) = (block for block in snippets.BLOCKS if "torch.compile(" in block)
    exec(compile(program, "docs/integrations.md: torch.compile", "exec"), {"__name__": "snippet"})
