"""dramatiq, whose workers import this file by itself."""

import argparse
import os
from collections.abc import Callable

import dramatiq
import redis
from dramatiq import cli
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend

import jobs

QUEUE = "peers"
# How long a client waits for its job.
PATIENCE_MS = 30_000
URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")
# A producer each, where the pool has room for fewer unless told otherwise.
POOL = f"{URL}?max_connections={jobs.PRODUCERS_MAX}"


class Ready(dramatiq.Middleware):
    """Tells when the worker in one of the processes has started."""

    def after_worker_boot(self, broker: dramatiq.Broker, worker: dramatiq.Worker) -> None:
        jobs.ready()


broker = RedisBroker(url=POOL)
broker.add_middleware(Results(backend=RedisBackend(url=URL)))
broker.add_middleware(Ready())
dramatiq.set_broker(broker)

noop = dramatiq.actor(queue_name=QUEUE)(jobs.noop)
answered = dramatiq.actor(queue_name=QUEUE, actor_name="answered", store_results=True)(jobs.noop)


def producer(url: str, at_once: int, bulk: int) -> Callable[[range], None]:
    broker.client.ping()

    def put(numbers: range) -> None:
        for number in numbers:
            noop.send(jobs.payload(number))

    return put


def work(url: str, how: argparse.Namespace) -> None:
    settings = ["--processes", str(how.processes), "--threads", str(how.threads), "--skip-logging"]
    raise SystemExit(cli.main(cli.make_argument_parser().parse_args(["dramatiq_peer", *settings])))


def caller(url: str) -> Callable[[int], None]:
    def call(number: int) -> None:
        message = answered.send(jobs.payload(number))
        # None, as a job's result, is what it answers with.
        message.get_result(block=True, timeout=PATIENCE_MS)

    return call


def left(url: str) -> dict[str, int]:
    connection = redis.Redis.from_url(url)
    waiting, dead = connection.hlen(f"dramatiq:{QUEUE}.msgs"), connection.hlen(f"dramatiq:{QUEUE}.XQ.msgs")
    return {"waiting": int(waiting), "failed": int(dead)}
