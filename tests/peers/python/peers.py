"""Peers in Python, behind the command line that all peers of scripts/bench-peers have: see rust/src/main.rs."""

import argparse
import importlib
import json
import os
import time

import jobs
from produce import produce

PEERS = ["rq", "celery", "dramatiq"]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    roles = parser.add_subparsers(dest="role", required=True)
    enqueue = roles.add_parser("enqueue", help="enqueue jobs, and print how long it took")
    work = roles.add_parser("work", help="work until SIGTERM")
    call = roles.add_parser("call", help="enqueue a job and wait for its result, one after another")
    left = roles.add_parser("left", help="tell what the queue holds")
    for role in [enqueue, work, call, left]:
        role.add_argument("peer", choices=PEERS)
    for role in [enqueue, call]:
        role.add_argument("--jobs", type=int, required=True)
    enqueue.add_argument("--at-once", type=int, default=1, help="producers at one time")
    enqueue.add_argument("--bulk", type=int, default=1, help="jobs that a producer hands over together")
    enqueue.add_argument("--window", type=int, help="jobs that may be on their way at most")
    enqueue.add_argument("--tally", help="where workers tell how many are done")
    work.add_argument("--tally", required=True, help="where to write what was done")
    work.add_argument("--processes", type=int, default=1)
    work.add_argument("--threads", type=int, default=1, help="threads in each process")
    work.add_argument("--prefetch", type=int, default=1, help="jobs that a process takes ahead")
    work.add_argument("--in-process", action="store_true", help="run jobs in the worker's own process")
    return parser.parse_args()


def main() -> None:
    args = arguments()
    url = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379")
    peer = importlib.import_module(f"{args.peer}_peer")
    if args.role == "enqueue":
        how = (args.jobs, args.at_once, args.bulk, args.window, args.tally)
        print(json.dumps(produce(lambda: peer.producer(url, args.at_once, args.bulk), *how)))
    elif args.role == "work":
        os.environ[jobs.TALLY_VARIABLE] = args.tally
        peer.work(url, args)
    elif args.role == "call":
        call = peer.caller(url)
        times = []
        for number in range(args.jobs):
            began = time.monotonic_ns()
            call(number)
            times.append((time.monotonic_ns() - began) / 1e6)
        print(json.dumps({"ms": times}))
    else:
        print(json.dumps(peer.left(url)))


if __name__ == "__main__":
    main()
