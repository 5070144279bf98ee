"""Training that stops goes on as if it had not: other ranks and workers, a worker killed, the whole job killed."""

import json
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from generators import states

from benchmarks.loader import generators, train
from benchmarks.loader.cases import Case, items, steps
from benchmarks.loader.curve import lines
from sliceforge.engine import making
from sliceforge.engine.errors import RunError

pytestmark = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")

ORDERS = {
    "by count": ({"batch_size": 3}, "item"),
    "by count, classes alike": ({"batch_size": 3}, "class"),
    "by seconds": ({"max_seconds": 3.0}, "item"),
    "by length": ({"batch_size": 3, "group_by_length": True}, "class"),
}
TRAIN = [sys.executable, "-m", "benchmarks.loader.train"]


@pytest.mark.parametrize("kind", ORDERS)
def test_first_and_rest_are_the_whole_after_every_step_and_with_any_ranks(kind: str) -> None:
    order, sampling = ORDERS[kind]
    case = Case((0.5, 0.4), order, {"extend": True, "sampling": sampling})
    whole = items(list(steps(case, 1, 0)))
    for before in (1, 2, 3):
        found = list(steps(case, before, 0))
        assert items(found) == whole
        for number, step in enumerate(found[:-1], 1):
            now = (number + before) % 4 + 1
            assert len({json.dumps(state) for state in step.states}) == 1
            rest = list(steps(case, now, 0, json.loads(json.dumps(step.states[0]))))
            assert items(found[:number]) + items(rest) == whole
            if now == before:
                assert rest == found[number:]


@pytest.mark.parametrize("stream", [False, True])
def test_workers_may_change_between_the_parts(stream: bool) -> None:
    case = Case((0.5, 0.4), {"batch_size": 3}, {"extend": True}, stream=stream)
    whole = list(steps(case, 2, 0))
    first = list(steps(case, 2, 1, most=2))
    rest = list(steps(case, 2, 2, first[-1].states[0]))
    assert first + rest == whole
    assert len(json.dumps(first[-1].states[0])) < 1024


def test_a_rank_that_the_rest_has_no_item_for_does_not_run_ahead_into_the_next_epoch() -> None:
    case = Case((0.5,), {"batch_size": 4})
    # Nine items: one is left after two steps of one rank.
    state = list(steps(case, 1, 0))[1].states[0]
    ranks = [case.feed(rank, 2) for rank in (0, 1)]
    for feed in ranks:
        feed.load_state_dict(state)
    assert [len(list(feed)) for feed in ranks] == [1, 0]
    assert [[feed.state_dict()["epoch"] for _ in feed] for feed in ranks] == [[2, 2], [2, 2]]


@pytest.mark.parametrize("persistent", [False, True])
def test_a_worker_that_is_killed_is_an_error_that_names_its_item_and_the_next_start_goes_on(persistent: bool) -> None:
    case = Case((1.0, 1.0), {"batch_size": 1}, {"extend": True})
    whole = [step.batches[0] for step in steps(case, 1, 0)]
    feed, found = case.feed(workers=2, persistent_workers=persistent), []

    def go() -> None:
        for batch in feed:
            found.append(batch["id"])
            victim = multiprocessing.active_children()[0]
            os.kill(victim.pid or 0, signal.SIGKILL)
            while victim.exitcode is None:
                time.sleep(0.001)

    with pytest.raises(RunError, match=r"killed by signal 9; it read '\w+' \(\w+\.flac\)"):
        go()
    feed.load_state_dict(feed.state_dict())
    found += [batch["id"] for batch in feed]
    assert found == [[item for item, _ in one.items] for one in whole]


def test_what_goes_wrong_in_a_read_names_the_item(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(making, "parent", full)
    for workers in (0, 1):
        with pytest.raises(MemoryError) as caught:
            list(Case().feed(workers=workers))
        # Torch raises a worker's error anew, with its whole text.
        said = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", ())])
        assert re.search(r"loader: it read '\w+' \(\w+\.flac\)", said)


@pytest.fixture
def exact() -> Iterator[None]:
    """One torch thread and deterministic algorithms, which training asks for, and afterwards what was before."""
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(strict)


@pytest.mark.usefixtures("exact")
def test_the_loss_curve_of_a_job_that_was_killed_is_the_unbroken_one_s_to_the_last_digit(tmp_path: Path) -> None:
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    job = subprocess.Popen([*TRAIN, str(tmp_path / "killed"), "2", "4"])
    while job.poll() is None and len(lines(tmp_path / "killed")) < 9:
        time.sleep(0.01)
    job.kill()
    assert job.wait() == -signal.SIGKILL
    train.main(tmp_path / "killed", 1, 4)
    train.main(tmp_path / "whole", 0, 4)
    unbroken, joined = lines(tmp_path / "whole"), lines(tmp_path / "killed")
    assert len(unbroken) == 16
    assert sorted(set(joined)) == unbroken


@pytest.mark.parametrize("act", generators.acts())
def test_no_global_generator_is_touched(act: str) -> None:
    before = states()
    generators.acts()[act]()
    assert states() == before
