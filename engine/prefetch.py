"""Batches made ahead: a thread takes from a loader and makes, while the training step runs."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from queue import Empty, Full, Queue
from typing import Any

from sliceforge.engine.errors import RunError

POLL = 0.2
"""Seconds after which whoever waits looks whether anybody is still there."""

BUSY = threading.Lock()
"""Held while items are made, and while a loader starts its workers: a fork must find no lock of a compiler or a pool
taken by a thread that the child does not have."""


class Ahead(Iterator[Any]):
    """What `make` makes of what an iterator gives, in order, a few of them before they are asked for.

    Args:
        begin: opens the iterator, in the thread, while the caller waits: see `wait`.
        make: what is done with each.
        depth: how many wait at most, finished.
        watch: called while nothing comes; raises where nothing will.
    """

    def __init__(
        self,
        begin: Callable[[], Iterator[Any]],
        make: Callable[[Any], Any],
        depth: int,
        watch: Callable[[], None] = lambda: None,
    ) -> None:
        self._begin, self._make, self._watch = begin, make, watch
        self._ready: Queue[tuple[Any, BaseException | None]] = Queue(depth)
        self._stop, self._open = threading.Event(), threading.Event()
        # A daemon: where a worker hangs, the job can still end.
        self._thread = threading.Thread(target=self._run, name="sliceforge", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Until the iterator is open."""
        while not self._open.wait(POLL):
            self._watch()

    def _run(self) -> None:
        iterator: Iterator[Any] | None = None
        try:
            iterator = self._opened()
            for given in iterator:
                if self._stop.is_set() or not self._put((self._make(given), None)):
                    return
            self._put((None, StopIteration()))
        # Whatever goes wrong is raised where the batch is asked for.
        except BaseException as error:
            # Torch's frames hold the error and the loader: without this, workers stay until garbage is collected.
            for one in filter(None, (error, error.__context__)):
                traceback.clear_frames(one.__traceback__)
            self._put((None, error))
        finally:
            iterator = None
            self._open.set()

    def _opened(self) -> Iterator[Any]:
        try:
            with BUSY:
                return self._begin()
        finally:
            self._open.set()

    def _put(self, one: tuple[Any, BaseException | None]) -> bool:
        while not self._stop.is_set():
            try:
                self._ready.put(one, timeout=POLL)
            except Full:
                continue
            return True
        return False

    def __next__(self) -> Any:
        while True:
            self._watch()
            try:
                made, error = self._ready.get(timeout=POLL)
            except Empty:
                if self._stop.is_set() and not self._thread.is_alive():
                    raise RunError("feed: its workers live on and went over to a later iteration") from None
                continue
            if error is None:
                return made
            try:
                if not isinstance(error, StopIteration):
                    # Of a worker that died, whoever watches says more than the loader does.
                    self._watch()
                raise error
            finally:
                # Its traceback holds this frame and the loader's, which would keep each other, and the workers, alive.
                del error

    def stop(self) -> None:
        """Make no more; does not wait for the thread, which may wait for a worker that is gone, some seconds long."""
        self._stop.set()

    def close(self) -> None:
        """Make no more, and wait until the thread has seen it."""
        self.stop()
        # A daemon is not to be waited for once the interpreter ends: it never comes back.
        while self._thread.is_alive() and not sys.is_finalizing():
            self._thread.join(POLL)
