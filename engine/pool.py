"""Workers that make shards: one process per core, started by spawn, single-threaded, gone when their parent is."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from types import TracebackType
from typing import Any

from sliceforge.engine.errors import RunError

LOST = "a worker process died (killed, or out of memory?); the same command goes on, with workers=1 it needs less"


def crew(workers: int | None) -> int:
    """How many processes: as asked, or one for each core that this process may use."""
    return workers or len(os.sched_getaffinity(0))


class Pool:
    """Calls functions in `size` processes, or at once in this one where `size` is 1."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Wait for what has begun, and forget what has not."""
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Call it; the future is done already where this pool has one process."""
        if self.size == 1:
            future: Future[Any] = Future()
            future.set_result(function(*arguments))
            return future
        if self._pool is None:
            self._pool = ProcessPoolExecutor(self.size, get_context("spawn"), initializer=_worker)
        try:
            with _uninterrupted():
                return self._pool.submit(function, *arguments)
        except BrokenProcessPool:
            raise RunError(LOST) from None


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Put an interrupt off while workers start: it must not meet one that is still importing, or half begun."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        yield
        return
    late: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: late.append(number))
    # A process takes over what is blocked, for good: the main process alone is interrupted.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGINT, handler)
    if late:
        handler(signal.SIGINT, None)


def result(future: Future[Any]) -> Any:
    """A future's result.

    Raises:
        RunError: a worker died.
    """
    try:
        return future.result()
    except BrokenProcessPool:
        raise RunError(LOST) from None


def _worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
