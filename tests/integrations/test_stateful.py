"""torchdata's StatefulDataLoader: its state in mid-epoch gives the rest in another process, with and without a feed."""

import hashlib
import pickle
import subprocess
import sys
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import pytest
from torchdata.stateful_dataloader import StatefulDataLoader

from sliceforge.engine import Augment, Batches, Share, SliceDataset, load
from sliceforge.engine.errors import SettingError

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # torch's loader forks beside threads

AFTER = 2
"""Batches of the second epoch that were trained on when the state was taken."""


def words(clips: str, ready: bool = False) -> SliceDataset:
    share = Share(load("speech/car_noise", "rate=16000"), share=0.5)
    return SliceDataset(clips, [share], 7, pattern="{label}_{speaker}_{index}", ready=ready)


def plain(clips: str, workers: int) -> StatefulDataLoader:
    """A loader whose workers make the items."""
    dataset = words(clips, ready=True)
    batches = Batches(dataset, 4)
    return StatefulDataLoader(dataset, batch_sampler=batches, num_workers=workers, collate_fn=dataset.collate)


def shuffled(dataset: SliceDataset, workers: int) -> StatefulDataLoader:
    """A loader with torch's own order, whose items `Augment` makes."""
    return StatefulDataLoader(dataset, 4, shuffle=True, num_workers=workers, collate_fn=dataset.collate)


def digests(batches: Iterable[dict]) -> list[str]:
    """What tells one batch from another, bytes and all."""
    found = []
    for batch in batches:
        told = hashlib.sha256(repr((batch["id"], batch["length"].tolist(), batch["target"].tolist())).encode())
        told.update(batch["audio"].numpy().tobytes())
        found.append(told.hexdigest())
    return found


def two_epochs(clips: str, file: str) -> None:
    """In a process of its own: the rest of the epoch that a state was of, and the epoch that follows."""
    given = pickle.loads(Path(file).read_bytes())
    found = {}
    for workers, state in given["plain"].items():
        loader = plain(clips, workers)
        loader.load_state_dict(state)
        found["plain", workers] = digests(loader), digests(loader)
    dataset = words(clips)
    loader = shuffled(dataset, 1)
    feed = Augment(dataset)(loader)
    loader.load_state_dict(given["feed"])
    found["feed", 1] = digests(feed), digests(feed)
    Path(file).write_bytes(pickle.dumps(found))


def test_a_fresh_process_gives_the_rest_bytes_and_all(clips: Path, tmp_path: Path) -> None:
    given, want = {"plain": {}}, {}
    for workers in (0, 2):
        loader = plain(str(clips), workers)
        assert len(digests(loader)) == len(loader) == 6
        epoch = iter(loader)
        digests(islice(epoch, AFTER))
        given["plain"][workers] = loader.state_dict()
        want["plain", workers] = digests(epoch), digests(loader)
    assert want["plain", 0] == want["plain", 2]
    dataset = words(str(clips))
    loader = shuffled(dataset, 2)
    feed = Augment(dataset)(loader)
    digests(feed)
    epoch = iter(feed)
    digests(islice(epoch, AFTER))
    # Batches were made ahead; what counts is what was given out.
    given["feed"] = feed.state_dict()
    assert given["feed"] == loader.state_dict()
    assert given["feed"]["done"] == 4 * AFTER
    want["feed", 1] = digests(epoch), digests(feed)
    # Where the items are made changes nothing.
    assert want["feed", 1] == want["plain", 0]
    file = tmp_path / "states"
    file.write_bytes(pickle.dumps(given))
    subprocess.run([sys.executable, __file__, str(clips), str(file)], check=True)
    assert pickle.loads(file.read_bytes()) == want


@pytest.mark.parametrize("workers", [0, 1])
def test_a_state_from_between_two_epochs_begins_the_next(workers: int, clips: Path) -> None:
    first = plain(str(clips), workers)
    digests(first)
    between = first.state_dict()
    want = digests(first)
    again = plain(str(clips), workers)
    again.load_state_dict(between)
    assert digests(again) == want
    # Where the last batch was given out and nobody has asked for more, the rest of the epoch is nothing.
    epoch = iter(loader := plain(str(clips), workers))
    digests(islice(epoch, len(loader)))
    again.load_state_dict(loader.state_dict())
    assert (digests(again), digests(again)) == ([], want)


def test_a_state_that_the_loader_was_given_before_is_the_feeds(clips: Path) -> None:
    dataset = words(str(clips))
    feed = Augment(dataset)(shuffled(dataset, 0))
    epoch = iter(feed)
    digests(islice(epoch, AFTER))
    state = feed.state_dict()
    want = digests(epoch), digests(feed)
    other = words(str(clips))
    loader = shuffled(other, 0)
    loader.load_state_dict(state)
    feed = Augment(other)(loader)
    assert feed.state_dict() == loader.state_dict() == state
    assert (digests(feed), digests(feed)) == want


def test_a_state_of_the_loader_itself_is_refused_by_a_feed(clips: Path) -> None:
    loader = plain(str(clips), 0)
    next(iter(loader))
    dataset = words(str(clips))
    other = shuffled(dataset, 0)
    other.load_state_dict(loader.state_dict())
    with pytest.raises(SettingError, match="state: is none of Sliceforge's"):
        Augment(dataset)(other)


def test_the_program_in_the_documentation_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import snippets  # not at the top: the other processes of this file have no tests on their path

    monkeypatch.chdir(tmp_path)
    assert snippets.run("torchdata") == 1


if __name__ == "__main__":
    two_epochs(*sys.argv[1:])
