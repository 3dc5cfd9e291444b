"""Reads what workers write down: see tests/peers/rust/src/tally.rs for its form."""

from pathlib import Path


class Tally:
    """The file of one worker."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0
        self._runs = 0
        self._settled = 0
        self._rest = b""
        # When it was ready, in the clock of all.
        self.ready_ns: int | None = None
        # Whether it tells of settled jobs; else a job that was run counts as done.
        self._settles = False

    def look(self) -> None:
        """Takes in what was written since."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._read)
            grown = file.read()
        self._read += len(grown)
        grown = self._rest + grown
        end = grown.rfind(b"\n") + 1
        # Each line with its break before it.
        lines, self._rest = b"\n" + grown[:end], grown[end:]
        if self.ready_ns is None and lines.startswith(b"\nready "):
            first = lines[1:].split(b"\n", 1)[0].split()
            self.ready_ns, self._settles = int(first[1]), len(first) > 2
        # Not line by line: that would take time from those who are measured.
        self._runs += lines.count(b"\nr ")
        last = lines.rfind(b"\ns ")
        if last >= 0:
            self._settled = int(lines[last + 3 :].split(b" ", 1)[0])

    @property
    def done(self) -> int:
        """Jobs that are done."""
        return self._settled if self._settles else self._runs

    def runs(self) -> list[int]:
        """The numbers of all jobs that were run."""
        return [int(line.split()[1]) for line in self._lines("r")]

    def last_ns(self) -> int:
        """When the last job was done."""
        return max(int(line.split()[2]) for line in self._lines("s" if self._settles else "r"))

    def _lines(self, kind: str) -> list[str]:
        lines = self.path.read_text().splitlines()
        return [line for line in lines if line.startswith(f"{kind} ")]


def faults(tallies: list[Tally], jobs: int) -> list[str]:
    """What is wrong with the runs of jobs of which each should have been run exactly once."""
    runs = [number for tally in tallies for number in tally.runs()]
    distinct = set(runs)
    wrong = []
    if missing := jobs - len(distinct & set(range(jobs))):
        wrong.append(f"{missing} of {jobs} jobs were never run")
    if twice := len(runs) - len(distinct):
        wrong.append(f"{twice} runs were of jobs that had been run")
    if strange := len(distinct - set(range(jobs))):
        wrong.append(f"{strange} numbers were run that nobody enqueued")
    return wrong
