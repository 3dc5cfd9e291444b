"""The running attempt."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ._cache import Cache
from ._errors import JobError, Seconds
from ._host import Host
from ._http import Http
from ._payload import Payload, to_payload

_USUALLY_KEPT = ("info", "warn", "error")
"""Lines of these levels are sent without asking first, since a question is a call as well."""

_LEVELS = ("trace", "debug", *_USUALLY_KEPT)


@dataclass
class NewJob:
    """A job to be. What is set wrongly is said by its verdict."""

    function: str
    """A function of this plugin, or `plugin/function` where the manifest grants that plugin."""
    input: Any = None
    """What it gets; becomes a payload as a job's result does."""
    queue: str | None = None
    """The queue to wait in; the parent's queue if not said."""
    priority: int | None = None
    """0 is the most urgent, 3 the least, 1 the default."""
    delay: Seconds | None = None
    """Not before this much time has passed."""
    max_attempts: int | None = None
    """How many counted failures end the job."""
    timeout: Seconds | None = None
    """How long an attempt may take."""
    unique_key: str | None = None
    """While a job with this key is waiting or running, no other with it is enqueued."""
    headers: dict[str, str] = field(default_factory=dict)
    """Headers for the job to read."""

    def payload(self) -> Payload:
        """The input as it travels."""
        return to_payload(self.input) or Payload("", b"")


@dataclass(frozen=True)
class Verdict:
    """What became of one new job."""

    kind: str
    """`accepted`, `unique-conflict` or `rejected`."""
    id: str | None = None
    """The job's id; of a conflict, that of the job that holds the unique key."""
    reason: str | None = None
    """Why it was rejected."""

    @property
    def accepted(self) -> str | None:
        """The id of a job that was accepted."""
        return self.id if self.kind == "accepted" else None


class Ctx:
    """What is known of the attempt's job, and what the host does for it."""

    def __init__(self, host: Host) -> None:
        self._host = host

    @property
    def job_id(self) -> str:
        """The job's id, a UUID in its canonical text form."""
        return self._host.job_id()

    @property
    def queue(self) -> str:
        """The queue that the job came from."""
        return self._host.queue_name()

    @property
    def attempt(self) -> int:
        """1 for the job's first start."""
        return self._host.attempt()

    @property
    def max_attempts(self) -> int:
        """How many counted failures end the job."""
        return self._host.max_attempts()

    @property
    def enqueued_at(self) -> datetime:
        """When the job was enqueued."""
        return datetime.fromtimestamp(self._host.enqueued_at() / 1000, timezone.utc)

    @property
    def parent_id(self) -> str | None:
        """The job that enqueued this one, if a job did."""
        return self._host.parent_id()

    @property
    def remaining(self) -> float:
        """The seconds until the host ends this attempt."""
        return self._host.remaining() / 1000

    @property
    def cancelled(self) -> bool:
        """True once somebody asked for this job to be cancelled."""
        return self._host.cancelled()

    def header(self, name: str) -> str | None:
        """A header that the producer set; names compare without regard to ASCII case."""
        return self._host.header(name)

    def progress(self, done: int, total: int | None = None, note: object = None) -> None:
        """Says how far the attempt is; the total may be unknown."""
        self._host.progress(done, total, None if note is None else str(note))

    def checkpoint(self, kind: Any = Any) -> Any:
        """What an earlier attempt, or this one, saved last, read as a job's input is read."""
        saved = self._host.checkpoint()
        try:
            return None if saved is None else saved.parse(kind)
        except JobError as error:
            message = f"the checkpoint doesn't fit: {error}"
            raise JobError.fatal(message, code="invalid-checkpoint") from None

    def save_checkpoint(self, state: Any) -> None:
        """Keeps state, 64 KiB at most, with the job for the next attempt to read back."""
        self._host.save_checkpoint(to_payload(state) or Payload("", b""))

    @property
    def cache(self) -> Cache:
        """The plugin's own part of the cache, which nobody else sees."""
        return self.bucket("")

    def bucket(self, name: str) -> Cache:
        """A part of the cache that the manifest lets several plugins share."""
        return Cache(self._host, name)

    @property
    def http(self) -> Http:
        """Requests to the hosts that the manifest allows."""
        return Http(self._host)

    def config(self, key: str) -> str | None:
        """A value of the plugin's configuration."""
        return self._host.config(key)

    def config_all(self) -> dict[str, str]:
        """All values of the plugin's configuration."""
        return dict(self._host.config_all())

    def secret(self, name: str) -> str:
        """A secret that the manifest grants."""
        return self._host.secret(name)

    def enqueue(self, jobs: NewJob | Iterable[NewJob]) -> list[Verdict]:
        """Hands over jobs that become real in the step that settles this one as completed; an
        attempt that ends otherwise enqueues nothing. A verdict each, in order.
        """
        return self._host.enqueue(_list(jobs), now=False)

    def enqueue_now(self, jobs: NewJob | Iterable[NewJob]) -> list[Verdict]:
        """Enqueues jobs at once, whatever becomes of this one. A verdict each, in order."""
        return self._host.enqueue(_list(jobs), now=True)

    def trace(self, message: object, **fields: object) -> None:
        """Logs a line of level trace."""
        self.log("trace", message, **fields)

    def debug(self, message: object, **fields: object) -> None:
        """Logs a line of level debug."""
        self.log("debug", message, **fields)

    def info(self, message: object, **fields: object) -> None:
        """Logs a line of level info."""
        self.log("info", message, **fields)

    def warn(self, message: object, **fields: object) -> None:
        """Logs a line of level warn."""
        self.log("warn", message, **fields)

    def error(self, message: object, **fields: object) -> None:
        """Logs a line of level error."""
        self.log("error", message, **fields)

    def log(self, level: str, message: object, /, **fields: object) -> None:
        """Logs a line with fields."""
        if level in _USUALLY_KEPT or self.enabled(level):
            named = [(name, str(value)) for name, value in fields.items()]
            self._host.log(level, str(message), named)

    def enabled(self, level: str) -> bool:
        """Whether lines of this level are kept."""
        if level not in _LEVELS:
            raise ValueError(f"there is no level {level!r}; levels are {', '.join(_LEVELS)}")
        return self._host.log_enabled(level)


def _list(jobs: NewJob | Iterable[NewJob]) -> list[NewJob]:
    return [jobs] if isinstance(jobs, NewJob) else list(jobs)
