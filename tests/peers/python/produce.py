"""Producers: threads in as many processes as there are cores, since a thread alone has one core."""

import os
import threading
import time
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path

# How often a producer looks how far the worker is.
LOOK_SECONDS = 0.002


class Share:
    """The jobs of one process: every so-manieth number, and no more on their way than its part of the window."""

    def __init__(self, jobs: range, window: int | None, processes: int, tally: str | None) -> None:
        self._jobs = jobs
        self._on_way_max = window // processes if window else None
        self._processes = processes
        self._given = 0
        self._run = 0
        self._lock = threading.Lock()
        self._tally = Path(tally).open("rb") if window and tally else None

    def next(self, bulk: int) -> range:
        """The next numbers, at most `bulk`, once there is room for them; empty: all are given."""
        with self._lock:
            numbers = self._jobs[self._given : self._given + bulk]
            self._given += len(numbers)
            while self._on_way_max and self._given - self._run / self._processes > self._on_way_max:
                time.sleep(LOOK_SECONDS)
                self._look()
        return numbers

    def _look(self) -> None:
        if self._tally:
            # The line `ready` has no line break before its letter.
            self._run += self._tally.read().count(b"\nr ")


def _run_threads(share: Share, threads: int, bulk: int, put: Callable[[range], None]) -> None:
    failures: list[BaseException] = []

    def in_turn() -> None:
        try:
            while numbers := share.next(bulk):
                put(numbers)
        except BaseException as failure:
            failures.append(failure)

    started = [threading.Thread(target=in_turn) for _ in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    if failures:
        raise failures[0]


def produce(
    connect: Callable[[], Callable[[range], None]],
    jobs: int,
    at_once: int,
    bulk: int,
    window: int | None,
    tally: str | None,
) -> dict[str, float]:
    """Hands all numbers to `at_once` producers, and tells how long they took.

    `connect` is called in each process before the clock starts, and answers with what enqueues jobs by
    their numbers.
    """
    processes = min(at_once, os.cpu_count() or 1)
    fork = get_context("fork")
    everyone = fork.Barrier(processes + 1)

    def process(at: int) -> None:
        put = connect()
        share = Share(range(at, jobs, processes), window, processes, tally)
        threads = at_once // processes + (at < at_once % processes)
        everyone.wait()
        _run_threads(share, threads, bulk, put)

    started = [fork.Process(target=process, args=(at,)) for at in range(processes)]
    for each in started:
        each.start()
    everyone.wait()
    began = time.monotonic_ns()
    for each in started:
        each.join()
    seconds = (time.monotonic_ns() - began) / 1e9
    if any(each.exitcode for each in started):
        raise SystemExit("a producer failed")
    return {"began_ns": began, "seconds": seconds}
