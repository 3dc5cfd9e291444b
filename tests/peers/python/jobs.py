"""The job that the peers in Python run, and what a worker writes down: see rust/src/tally.rs for its form."""

import os
import time

PAYLOAD_BYTES = 100
TALLY_VARIABLE = "PEERS_TALLY"
# Producers in one process at most.
PRODUCERS_MAX = 256

_tally: int | None = None


def payload(number: int) -> str:
    """The payload of a job: its number, and dots up to the length of all."""
    return f"{number:08}".ljust(PAYLOAD_BYTES, ".")


def _write(line: str) -> None:
    global _tally
    if _tally is None:
        _tally = os.open(os.environ[TALLY_VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    # One call for each line, since all processes of a worker write into this file.
    os.write(_tally, line.encode())


def ready() -> None:
    """The worker is about to take jobs."""
    _write(f"ready {time.monotonic_ns()}\n")


def noop(payload: str) -> None:
    """What each job is."""
    _write(f"r {int(payload[:8])} {time.monotonic_ns()}\n")
