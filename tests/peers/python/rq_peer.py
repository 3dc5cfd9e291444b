"""RQ."""

import argparse
from collections.abc import Callable

import redis
import rq

import jobs

# How long a client waits for its job.
PATIENCE_SECONDS = 30
# Results are kept by the jobs whose clients wait for them, and by no others.
KEPT_SECONDS = 60


def _queue(url: str) -> rq.Queue:
    # A connection for each producer: the pool has room for fewer unless told otherwise.
    connection = redis.Redis.from_url(url, max_connections=jobs.PRODUCERS_MAX)
    return rq.Queue("peers", connection=connection)


def producer(url: str, at_once: int, bulk: int) -> Callable[[range], None]:
    queue = _queue(url)
    queue.connection.ping()

    def put(numbers: range) -> None:
        if bulk > 1:
            prepare = rq.Queue.prepare_data
            queue.enqueue_many([prepare(jobs.noop, (jobs.payload(number),), result_ttl=0) for number in numbers])
        else:
            queue.enqueue(jobs.noop, jobs.payload(numbers[0]), result_ttl=0)

    return put


def work(url: str, how: argparse.Namespace) -> None:
    queue = _queue(url)
    worker = (rq.SimpleWorker if how.in_process else rq.Worker)([queue], connection=queue.connection)
    jobs.ready()
    worker.work(logging_level="ERROR")


def caller(url: str) -> Callable[[int], None]:
    queue = _queue(url)

    def call(number: int) -> None:
        job = queue.enqueue(jobs.noop, jobs.payload(number), result_ttl=KEPT_SECONDS)
        result = job.latest_result(timeout=PATIENCE_SECONDS)
        if result is None or result.type != result.Type.SUCCESSFUL:
            raise SystemExit(f"job {number} ended with {result}")

    return call


def left(url: str) -> dict[str, int]:
    queue = _queue(url)
    return {
        "waiting": queue.count + queue.started_job_registry.count,
        "failed": queue.failed_job_registry.count,
    }
