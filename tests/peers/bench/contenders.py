"""Who is measured, with all settings: the best that each one's documentation names, found by trying them.

How many jobs a measure takes is chosen so that it lasts a few seconds at the speed of the contender.
"""

import os
from dataclasses import dataclass, field
from enum import Enum

from bench.measures import (
    DRAIN,
    DRAIN_TWO,
    ENQUEUE_BULK,
    ENQUEUE_MANY,
    ENQUEUE_ONE,
    FLOW,
    LATENCY_P50,
    RATE_P50,
)

# Jobs that may be on their way at most while enqueueing and draining go on at once, as in
# `gristmill bench`: else the queue is measured as a store.
WINDOW = 8_192
CORES = str(os.cpu_count() or 1)


class Isolation(Enum):
    """What a job can do to others."""

    SANDBOX = "a sandbox for each job"
    PROCESS = "a process for each job"
    NONE = "jobs share a process"


@dataclass(frozen=True)
class Contender:
    """One that is measured."""

    # How it is selected.
    name: str
    # How it is shown; a version is filled in.
    title: str
    isolation: Isolation
    # What becomes of jobs when a worker or the server dies, as its documentation has it.
    durability: str
    # The settings, in words.
    settings: str
    # How many jobs each measure takes; what isn't here isn't measured.
    jobs: dict[str, int]
    # Which program has its roles, and under which name; none for Gristmill and plain processes.
    program: str = ""
    peer: str = ""
    # Words for its worker, and for how it enqueues while it is drained.
    worker: list[str] = field(default_factory=list)
    flow: list[str] = field(default_factory=lambda: ["--bulk", "256"])
    # How jobs are put there that a worker then drains.
    fill: list[str] = field(default_factory=lambda: ["--bulk", "256", "--at-once", "2"])
    window: int = WINDOW
    # What starts for each job, or the component that `gristmill bench` calls.
    command: list[str] = field(default_factory=list)


LOCKS = "a job whose worker dies is found by its lock and run again"

CONTENDERS = [
    Contender(
        name="gristmill",
        title="Gristmill, a plugin in Rust",
        isolation=Isolation.SANDBOX,
        durability="a job whose worker dies is found by its lease and run again; results are kept",
        settings="defaults; the shipped plugin `echo`, a component with Rust's standard library",
        jobs={DRAIN: 200_000, RATE_P50: 5_000},
        command=["--component", "target/plugins/echo.wasm"],
    ),
    Contender(
        name="gristmill-lean",
        title="Gristmill, a lean component",
        isolation=Isolation.SANDBOX,
        durability="the same",
        settings="defaults; the component of a few instructions that is built in",
        jobs={DRAIN: 200_000, RATE_P50: 5_000},
    ),
    Contender(
        name="gristmill-unkept",
        title="Gristmill, a plugin in Rust, no results",
        isolation=Isolation.SANDBOX,
        durability="a job whose worker dies is found by its lease and run again",
        settings="a `result_ttl` of zero: completed jobs are forgotten at once; the plugin `echo`",
        jobs={DRAIN: 200_000, RATE_P50: 5_000},
        command=["--result-ttl", "0s", "--component", "target/plugins/echo.wasm"],
    ),
    Contender(
        name="gristmill-lean-unkept",
        title="Gristmill, a lean component, no results",
        isolation=Isolation.SANDBOX,
        durability="the same",
        settings="the same; the built-in component",
        jobs={DRAIN: 200_000, RATE_P50: 5_000},
        command=["--result-ttl", "0s"],
    ),
    Contender(
        name="bullmq-official",
        title="bullmq-official {bullmq-official}",
        isolation=Isolation.NONE,
        durability=LOCKS,
        settings="concurrency 200, completed jobs removed at once, bulk by `add_bulk`",
        jobs={
            ENQUEUE_ONE: 15_000,
            ENQUEUE_MANY: 100_000,
            ENQUEUE_BULK: 100_000,
            DRAIN: 60_000,
            DRAIN_TWO: 60_000,
            FLOW: 40_000,
            LATENCY_P50: 1_000,
            RATE_P50: 5_000,
        },
        program="rust",
        peer="bullmq",
        worker=["--concurrency", "200"],
    ),
    Contender(
        name="apalis",
        title="apalis-redis {apalis-redis}",
        isolation=Isolation.NONE,
        durability="jobs of a worker without a heartbeat are enqueued again; results are kept",
        settings="batches of 4,000 on tokio's threads, a poll every millisecond, no locks and no events, "
        "bulk by `push_bulk`; its client asks for the result every millisecond, where its own wait "
        "asks ten times a second",
        jobs={
            ENQUEUE_ONE: 12_000,
            ENQUEUE_MANY: 100_000,
            ENQUEUE_BULK: 150_000,
            # Its worker takes due jobs over in one step, which fails from some 8,000 on.
            DRAIN: 7_000,
            FLOW: 30_000,
            LATENCY_P50: 500,
            RATE_P50: 5_000,
        },
        program="rust",
        peer="apalis",
        worker=["--concurrency", "4000", "--poll-ms", "1"],
        window=4_096,
    ),
    Contender(
        name="bullmq",
        title="BullMQ {bullmq}",
        isolation=Isolation.NONE,
        durability=LOCKS,
        settings="concurrency 200, completed jobs removed at once, bulk by `addBulk`, ioredis",
        jobs={
            ENQUEUE_ONE: 10_000,
            ENQUEUE_MANY: 50_000,
            ENQUEUE_BULK: 50_000,
            DRAIN: 40_000,
            DRAIN_TWO: 50_000,
            FLOW: 25_000,
            LATENCY_P50: 1_000,
            RATE_P50: 5_000,
        },
        program="node",
        worker=["--concurrency", "200"],
    ),
    Contender(
        name="rq",
        title="RQ {rq}",
        isolation=Isolation.PROCESS,
        durability="a job whose worker dies is found by its missing heartbeat, and failed or tried again",
        settings="the default worker, no results but where a client waits, bulk by `enqueue_many`",
        jobs={
            ENQUEUE_ONE: 5_000,
            ENQUEUE_MANY: 6_000,
            ENQUEUE_BULK: 25_000,
            DRAIN: 300,
            DRAIN_TWO: 400,
            FLOW: 300,
            LATENCY_P50: 100,
        },
        program="python",
        peer="rq",
    ),
    Contender(
        name="rq-simple",
        title="RQ {rq}, SimpleWorker",
        isolation=Isolation.NONE,
        durability="the same",
        settings="the same without a fork for each job",
        jobs={DRAIN: 1_500, DRAIN_TWO: 2_000, FLOW: 1_500, LATENCY_P50: 300},
        program="python",
        peer="rq",
        worker=["--in-process"],
    ),
    Contender(
        name="celery",
        title="Celery {celery}",
        isolation=Isolation.NONE,
        durability="a job is acknowledged when it starts, and lost with its worker",
        settings="prefork with a process for each core, 128 jobs taken ahead by each, no gossip, "
        "mingle or heartbeat, results ignored but where a client waits; it has no bulk",
        jobs={
            ENQUEUE_ONE: 4_000,
            ENQUEUE_MANY: 4_000,
            DRAIN: 2_500,
            FLOW: 2_000,
            LATENCY_P50: 300,
        },
        program="python",
        peer="celery",
        worker=["--processes", CORES, "--prefetch", "128"],
        flow=["--at-once", "2"],
        fill=["--at-once", "2"],
    ),
    Contender(
        name="dramatiq",
        title="dramatiq {dramatiq}",
        isolation=Isolation.NONE,
        durability="a job whose worker dies is run again once its heartbeat is missed",
        settings="a process of 8 threads for each core, no results but where a client waits; it has no bulk",
        jobs={
            ENQUEUE_ONE: 8_000,
            ENQUEUE_MANY: 10_000,
            DRAIN: 12_000,
            FLOW: 8_000,
            LATENCY_P50: 300,
        },
        program="python",
        peer="dramatiq",
        worker=["--processes", CORES, "--threads", "8"],
        flow=["--at-once", "2"],
        fill=["--at-once", "2"],
    ),
    Contender(
        name="process",
        title="a process per job, static C",
        isolation=Isolation.PROCESS,
        durability="no queue: only what starting costs",
        settings="fork and exec of a program that only ends, as many at once as there are cores",
        jobs={DRAIN: 5_000, LATENCY_P50: 500},
        command=["noop"],
    ),
    Contender(
        name="process-python",
        title="a process per job, Python",
        isolation=Isolation.PROCESS,
        durability="no queue: only what starting costs",
        settings="`python3 -c pass`, as many at once as there are cores",
        jobs={DRAIN: 150, LATENCY_P50: 50},
        command=["python3", "-c", "pass"],
    ),
]
