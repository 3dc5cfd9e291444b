"""Takes the measures of those who have no program in tests/peers: Gristmill itself, and plain processes."""

import json
import os
import subprocess

from bench.contenders import Contender
from bench.install import ROOT
from bench.measures import DRAIN, GROUPS, LATENCY_P50, LATENCY_P99, RATE, RATE_P50
from bench.peer import Failed, percentile
from bench.server import Server

# `make build` puts it there; for trying this out, another one may be named.
GRISTMILL = os.environ.get("GRISTMILL_BENCH_PROGRAM") or str(ROOT / "target" / "release" / "gristmill")
# The least that `gristmill bench` takes.
JOBS_MIN = 1_000


def gristmill(contender: Contender, groups: list[str], server: Server, scale: float) -> dict[str, float]:
    """One round of `gristmill bench`."""
    jobs = max(JOBS_MIN, round(contender.jobs[DRAIN] * scale))
    words = ["--redis-url", server.url, "--rounds", "1", "--jobs", str(jobs), "--input-bytes", "100", "--json"]
    at_rate = max(JOBS_MIN, round(contender.jobs[RATE_P50] * scale))
    words += ["--rate", str(RATE), "--length", f"{at_rate * 1_000 // RATE}ms"]
    server.flush()
    command = [GRISTMILL, "bench", *groups, *words, *contender.command]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE)
    if done.returncode:
        raise Failed(f"`gristmill bench` ended with exit code {done.returncode}")
    figures = json.loads(done.stdout)["figures"]
    # It measures its queue in memory, too, which no peer has.
    return {figure["name"]: figure["values"][0] for figure in figures if figure["backend"] == "redis"}


def processes(
    contender: Contender, programs: dict[str, list[str]], groups: list[str], scale: float
) -> dict[str, float]:
    """A process for each job: as many a second as there may be, and how long one takes alone."""
    command = [word for part in contender.command for word in programs.get(part, [part])]
    figures = {}
    for group, measure, at_once in [("drain", DRAIN, os.cpu_count() or 1), ("latency", LATENCY_P50, 1)]:
        if group not in groups:
            continue
        jobs = max(20, round(contender.jobs[measure] * scale))
        words = ["spawn", "--jobs", str(jobs), "--at-once", str(at_once), "--", *command]
        done = subprocess.run([*programs["rust"], *words], stdout=subprocess.PIPE, check=True)
        result = json.loads(done.stdout)
        if measure in GROUPS["latency"]:
            figures[LATENCY_P50] = percentile(result["ms"], 0.5)
            figures[LATENCY_P99] = percentile(result["ms"], 0.99)
        else:
            figures[measure] = jobs / result["seconds"]
    return figures
