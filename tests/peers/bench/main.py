"""Runs the contenders in turn, and writes what came of it."""

import argparse
import datetime
import signal
import sys
from pathlib import Path

from bench import chart, install, others, page, peer, results
from bench.contenders import CONTENDERS, Contender
from bench.machine import all_versions, machine
from bench.measures import ALL, GROUPS, TELLS
from bench.results import Results
from bench.server import Server, redis_server

NAMES = [contender.name for contender in CONTENDERS]
EPILOG = f"""\
contenders: {", ".join(NAMES)}

Example:
  scripts/bench-peers --rounds 1 --scale 0.1 --only bullmq,gristmill drain
  scripts/bench-peers --from-json run.json --markdown docs/benchmarks.md --svg docs/benchmarks.svg

Leave the machine alone meanwhile. Peers are installed into {install.cache()}."""


def say(what: str) -> None:
    """What goes on is told on stderr: stdout is for the table."""
    print(f"bench-peers: {what}", file=sys.stderr, flush=True)


def names(text: str) -> list[str]:
    """Contenders by their names."""
    chosen = text.split(",")
    if strange := [name for name in chosen if name not in NAMES]:
        raise argparse.ArgumentTypeError(f"there is no {strange[0]}: choose from {', '.join(NAMES)}")
    return chosen


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench-peers",
        description="Measure other job queues and Gristmill in turn, on one Redis server of their own.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="*", help=f"what to measure: {', '.join(GROUPS)} [default: all of it]")
    parser.add_argument("--only", type=names, default=NAMES, metavar="NAME,…", help="contenders to measure")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="how often [default: 3]")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="times the jobs of each measure")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the page to this file")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="write the chart to this file")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures to this file")
    parser.add_argument("--from-json", type=Path, metavar="FILE", help="show an earlier run instead of a new one")
    args = parser.parse_args()
    if strange := [group for group in args.what if group not in GROUPS]:
        parser.error(f"there is no measure {strange[0]}: choose from {', '.join(GROUPS)}")
    return args


class Run:
    """One run over all rounds."""

    def __init__(self, args: argparse.Namespace, server: Server, programs: dict[str, list[str]]) -> None:
        self._groups = [group for group in GROUPS if not args.what or group in args.what]
        self._contenders = [each for each in CONTENDERS if each.name in args.only]
        self._rounds, self._scale = args.rounds, args.scale
        self._server, self._programs = server, programs
        date = datetime.date.today().isoformat()
        self.results = Results(date, args.rounds, machine(), all_versions(server), args.scale)

    def go(self) -> None:
        """Everyone in turn, so that a busy moment of the machine hits all alike."""
        for at in range(1, self._rounds + 1):
            for contender in self._contenders:
                say(f"round {at} of {self._rounds}: {self.results.title(contender)}")
                if contender.program:
                    self._peer(contender)
                else:
                    self._other(contender)

    def _peer(self, contender: Contender) -> None:
        program = self._programs[contender.program]
        subject = peer.Peer(contender, program, self._server, self._scale)
        wanted = [each for group in self._groups for each in GROUPS[group] if each in contender.jobs]
        for measure in wanted:
            try:
                values = peer.measure(subject, measure)
            except peer.Failed as failure:
                self._failed(contender, measure, failure)
                continue
            for name, value in zip(TELLS.get(measure, [measure]), values, strict=True):
                self._add(contender, name, value)

    def _other(self, contender: Contender) -> None:
        try:
            if contender.name.startswith("gristmill"):
                figures = others.gristmill(contender, self._groups, self._server, self._scale)
            else:
                figures = others.processes(contender, self._programs, self._groups, self._scale)
        except peer.Failed as failure:
            self._failed(contender, "all", failure)
            return
        for measure in ALL:
            if measure in figures:
                self._add(contender, measure, figures[measure])

    def _add(self, contender: Contender, measure: str, value: float) -> None:
        say(f"  {measure}: {results.number(value, measure)}")
        self.results.add(contender.name, measure, value)

    def _failed(self, contender: Contender, measure: str, failure: Exception) -> None:
        what = f"{self.results.title(contender)}, {measure}: {failure}"
        say(f"  {what}")
        if what not in self.results.failures:
            self.results.failures.append(what)


def measured(args: argparse.Namespace) -> Results:
    """Installs who is wanted, and measures them."""
    chosen = [each for each in CONTENDERS if each.name in args.only]
    wanted = {each.program for each in chosen if each.program}
    if any(each.name.startswith("process") for each in chosen):
        wanted |= {"rust", "noop"}
    if any(each.name.startswith("gristmill") for each in chosen) and not Path(others.GRISTMILL).is_file():
        raise SystemExit(f"bench-peers: {others.GRISTMILL} is missing: run `make build plugins`")
    say(f"installing what is missing into {install.cache()}")
    programs = install.programs(wanted)
    with redis_server() as server:
        run = Run(args, server, programs)
        run.go()
        return run.results


def main() -> int:
    args = arguments()
    # What was started ends with this, whoever ends it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench-peers: told to end"))
    run = results.read(args.from_json) if args.from_json else measured(args)
    if args.json:
        run.write(args.json)
    if args.markdown:
        args.markdown.write_text(page.page(run, CONTENDERS))
    if args.svg:
        args.svg.write_text(chart.svg(run, CONTENDERS))
    throughput = [measure for measure in ALL if measure not in GROUPS["latency"]]
    print(results.text(run, CONTENDERS, throughput), results.text(run, CONTENDERS, GROUPS["latency"]), sep="\n\n")
    for failure in run.failures:
        say(f"not counted: {failure}")
    return 1 if run.failures else 0
