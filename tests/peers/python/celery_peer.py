"""Celery, with Redis as its broker and for its results."""

import argparse
import warnings
from collections.abc import Callable

import redis
from celery import Celery
from celery.platforms import SecurityWarning
from celery.signals import worker_ready

import jobs

QUEUE = "peers"
# How long a client waits for its job.
PATIENCE_SECONDS = 30


def _app(url: str) -> Celery:
    app = Celery("peers", broker=url, backend=url)
    app.conf.task_default_queue = QUEUE
    app.conf.broker_connection_retry_on_startup = True
    app.task(name="noop")(jobs.noop)
    return app


def producer(url: str, at_once: int, bulk: int) -> Callable[[range], None]:
    app = _app(url)
    # A connection for each thread.
    app.conf.broker_pool_limit = at_once
    noop = app.tasks["noop"]
    with app.producer_pool.acquire(block=True) as first:
        first.connection.ensure_connection(max_retries=1)

    def put(numbers: range) -> None:
        for number in numbers:
            noop.apply_async((jobs.payload(number),), ignore_result=True)

    return put


def work(url: str, how: argparse.Namespace) -> None:
    app = _app(url)
    # It warns of root's rights on containers and CI, where there is nobody else.
    warnings.simplefilter("ignore", SecurityWarning)
    app.conf.worker_prefetch_multiplier = how.prefetch
    worker_ready.connect(lambda **_: jobs.ready(), weak=False)
    pool = ["--pool", "solo"] if how.in_process else ["--pool", "prefork", "--concurrency", str(how.processes)]
    # What workers tell each other is left out, as for many short tasks it should be.
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "ERROR"]
    app.worker_main(["worker", *pool, *quiet])


def caller(url: str) -> Callable[[int], None]:
    noop = _app(url).tasks["noop"]

    def call(number: int) -> None:
        noop.delay(jobs.payload(number)).get(timeout=PATIENCE_SECONDS)

    return call


def left(url: str) -> dict[str, int]:
    connection = redis.Redis.from_url(url)
    return {"waiting": int(connection.llen(QUEUE)) + int(connection.hlen("unacked")), "failed": 0}
