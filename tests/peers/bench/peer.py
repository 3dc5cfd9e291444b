"""Takes the measures of a peer: its roles, put together.

The worker, the producers and the clients are processes of their own. What each measure did is checked:
every job was run exactly once by the worker's account, and nothing is left by the queue's.
"""

import contextlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench import tally
from bench.contenders import Contender
from bench.measures import (
    BATCH,
    DRAIN,
    DRAIN_TWO,
    ENQUEUE_BULK,
    ENQUEUE_MANY,
    ENQUEUE_ONE,
    FLOW,
    PRODUCERS,
    RATE,
    RATE_P50,
)
from bench.server import Server
from bench.tally import Tally

LOOK_SECONDS = 0.01
# The slowest measure takes some seconds; a machine may be ten times slower.
PATIENCE_SECONDS = 180
STOP_SECONDS_MAX = 20


class Failed(Exception):
    """A measure that can't be told of."""


def percentile(values: list[float], share: float) -> float:
    """The value below which that share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


class Peer:
    """A peer, its program and the server that it is measured on."""

    def __init__(self, contender: Contender, program: list[str], server: Server, scale: float) -> None:
        self._contender = contender
        self._program = program
        self._server = server
        self._scale = scale

    def enqueue(self, measure: str) -> float:
        """Jobs enqueued a second, while nobody works."""
        how = {
            ENQUEUE_ONE: ["--at-once", "1"],
            ENQUEUE_MANY: ["--at-once", str(PRODUCERS)],
            ENQUEUE_BULK: ["--bulk", str(BATCH), "--at-once", "8"],
        }
        jobs = self._jobs(measure)
        self._server.flush()
        result = self._role("enqueue", "--jobs", str(jobs), *how[measure])
        self._expect_left(jobs)
        return jobs / float(result["seconds"])

    def drain(self, measure: str) -> float:
        """Jobs worked off a second, which all wait when the worker begins."""
        jobs, workers = self._jobs(measure), 2 if measure == DRAIN_TWO else 1
        self._server.flush()
        self._role("enqueue", "--jobs", str(jobs), *self._contender.fill)
        with self._workers(workers) as (tallies, finish):
            self._wait(tallies, lambda: sum(each.done for each in tallies) >= jobs)
            finish()
            self._expect_once(tallies, jobs)
            began = min(each.ready_ns or 0 for each in tallies)
            return jobs * 1e9 / (max(each.last_ns() for each in tallies) - began)

    def flow(self) -> float:
        """Jobs a second from the first one's enqueueing to the end of the last."""
        jobs = self._jobs(FLOW)
        self._server.flush()
        with self._workers(1) as (tallies, finish):
            self._wait(tallies, lambda: tallies[0].ready_ns is not None)
            window = ["--window", str(self._contender.window), "--tally", str(tallies[0].path)]
            result = self._role("enqueue", "--jobs", str(jobs), *self._contender.flow, *window)
            self._wait(tallies, lambda: tallies[0].done >= jobs)
            finish()
            self._expect_once(tallies, jobs)
            return jobs * 1e9 / (tallies[0].last_ns() - int(result["began_ns"]))

    def latency(self, measure: str) -> tuple[float, float]:
        """Milliseconds from when a job is to be enqueued until its client has the result, p50 and p99."""
        jobs = self._jobs(measure)
        how = ["--rate", str(RATE)] if measure == RATE_P50 else []
        self._server.flush()
        with self._workers(1) as (tallies, finish):
            self._wait(tallies, lambda: tallies[0].ready_ns is not None)
            times = [float(ms) for ms in self._role("call", "--jobs", str(jobs), *how)["ms"]]
            self._wait(tallies, lambda: tallies[0].done >= jobs)
            finish()
            self._expect_once(tallies, jobs)
        return percentile(times, 0.5), percentile(times, 0.99)

    def _jobs(self, measure: str) -> int:
        return max(20, round(self._contender.jobs[measure] * self._scale))

    def _words(self, role: str, *words: str) -> list[str]:
        peer = [self._contender.peer] if self._contender.peer else []
        return [*self._program, role, *peer, *words]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, "REDIS_URL": self._server.url, "PYTHONDONTWRITEBYTECODE": "1"}

    def _role(self, role: str, *words: str) -> dict[str, Any]:
        command = self._words(role, *words)
        done = subprocess.run(command, env=self._environment(), stdout=subprocess.PIPE, timeout=PATIENCE_SECONDS)
        if done.returncode:
            raise Failed(f"its `{role}` ended with exit code {done.returncode}")
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    @contextlib.contextmanager
    def _workers(self, count: int) -> Iterator[tuple[list[Tally], Callable[[], None]]]:
        """Workers, what they write down, and how to end them in peace."""
        with tempfile.TemporaryDirectory(prefix="bench-peers.") as folder:
            tallies = [Tally(Path(folder) / f"worker-{at}") for at in range(count)]
            self._processes = [
                subprocess.Popen(
                    self._words("work", "--tally", str(each.path), *self._contender.worker),
                    env=self._environment(),
                    cwd=folder,
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,
                )
                for each in tallies
            ]
            try:
                yield tallies, self._finish
            finally:
                for process in self._processes:
                    # Its whole session: a worker may have processes of its own.
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(process.pid, 9)
                    process.wait()

    def _finish(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            try:
                process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                raise Failed("the worker doesn't end when it is told to") from None

    def _wait(self, tallies: list[Tally], reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            for each in tallies:
                each.look()
            if reached():
                return
            ended = [process.returncode for process in self._processes if process.poll() is not None]
            if ended:
                raise Failed(f"the worker ended by itself, with exit code {ended[0]}")
            if time.monotonic() > deadline:
                raise Failed(f"after {PATIENCE_SECONDS} s only {sum(each.done for each in tallies)} jobs are done")
            time.sleep(LOOK_SECONDS)

    def _expect_once(self, tallies: list[Tally], jobs: int) -> None:
        if wrong := tally.faults(tallies, jobs):
            raise Failed("; ".join(wrong))
        self._expect_left(0)

    def _expect_left(self, waiting: int) -> None:
        left = self._role("left")
        if left != {"waiting": waiting, "failed": 0}:
            counts = f"{left['waiting']} jobs wait and {left['failed']} failed"
            raise Failed(f"{counts} by the queue's account, where {waiting} should wait and none have failed")


def measure(peer: Peer, name: str) -> list[float]:
    """One measurement, and what it tells: see `measures.TELLS`."""
    if name in (ENQUEUE_ONE, ENQUEUE_MANY, ENQUEUE_BULK):
        return [peer.enqueue(name)]
    if name in (DRAIN, DRAIN_TWO):
        return [peer.drain(name)]
    if name == FLOW:
        return [peer.flow()]
    return list(peer.latency(name))
