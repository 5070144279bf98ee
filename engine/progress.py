"""Progress for a person at a terminal; silence for everything else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def shown(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error with items/s and the time left; what it yields is told (done, expected)."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield lambda done, expected: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    speed = TextColumn("{task.fields[speed]}")
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), speed, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None, speed="")

        def told(done: int, expected: int) -> None:
            state = next(one for one in bar.tasks if one.id == task)
            rate = done / state.elapsed if state.elapsed else 0.0
            bar.update(task, completed=done, total=expected, speed=f"{rate:.0f} items/s")

        yield told
