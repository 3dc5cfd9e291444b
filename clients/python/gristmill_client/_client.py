"""The client: jobs from their beginning to their end, and the rest of the daemon beside them."""

from __future__ import annotations

import base64
import os
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ._errors import Refused
from ._events import Event, parse
from ._http import Http
from ._jobs import Job, Page, Verdict
from ._operations import Cache, Plugins, Queues, Workers
from ._paths import asking, path

#: A name of their own, since the client's method `list` has the type's.
_Verdicts = list[Verdict]
_Lines = list[dict[str, Any]]

#: How long one request of a wait lasts, in seconds: short enough for what may stand in between.
POLL = 30.0


class Client:
    """A client of the daemon ``gristmill serve``.

    Every job has an id of its own before it is sent, so that requests which may be repeated are: a
    daemon that is restarted meanwhile loses nothing. What concerns no single job is under ``queues``,
    ``plugins``, ``cache`` and ``workers``.
    """

    def __init__(
        self,
        server: str | None = None,
        *,
        token: str | None = None,
        ca_file: str | None = None,
    ) -> None:
        env = os.environ
        server = server or env.get("GRISTMILL_SERVER") or "http://127.0.0.1:7430"
        token = token or env.get("GRISTMILL_TOKEN") or None
        self._http = Http(server, token, ca_file or env.get("GRISTMILL_CA_FILE") or None)
        self.queues = Queues(self._http)
        self.plugins = Plugins(self._http)
        self.cache = Cache(self._http)
        self.workers = Workers(self._http)

    def enqueue(
        self,
        plugin: str,
        input: Any = None,
        *,
        function: str | None = None,
        **options: Any,
    ) -> Job:
        """Enqueues a job: text as it is, ``bytes`` as bytes, everything else as JSON.

        ``options`` are the other keys of a job on the wire, such as ``queue``, ``priority``,
        ``delay_ms``, ``max_attempts``, ``unique_key``, ``headers`` or ``id``.
        """
        body = request(plugin, input, function=function, **options)
        return Job._of(self._http.json("POST", "/v1/jobs", body, repeatable=True))

    def enqueue_many(self, jobs: Iterable[Mapping[str, Any]]) -> _Verdicts:
        """Enqueues jobs as they are on the wire (see ``request``), with a verdict each."""
        body = [{"id": str(uuid.uuid4()), **job} for job in jobs]
        verdicts = self._http.json("POST", "/v1/jobs", body, repeatable=True)
        return [Verdict._of(raw) for raw in verdicts]

    def get(self, id: str) -> Job | None:
        """A job, as long as its record is kept."""
        return self._poll(id, 0.0)

    def wait(self, id: str, timeout: float | None = None) -> Job | None:
        """A job as soon as it has ended, or as it is after ``timeout`` seconds."""
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = POLL if until is None else max(0.0, until - time.monotonic())
            job = self._poll(id, min(left, POLL))
            if job is None or job.has_ended or (until is not None and left <= POLL):
                return job

    def result(self, id: str) -> tuple[bytes, str] | None:
        """What a job handed back, byte for byte, with its media type; none, if it has nothing."""
        try:
            return self._http.send("GET", path("jobs", id, "result"), repeatable=True)
        except Refused as refused:
            if refused.kind in ("unknown-job", "no-result"):
                return None
            raise

    def logs(self, id: str) -> _Lines:
        """What a job's attempts logged, the oldest line first."""
        logs = self._http.json("GET", path("jobs", id, "logs"), repeatable=True)
        lines: _Lines = logs["lines"]
        return lines

    def list(
        self,
        *,
        queue: str = "default",
        state: str | None = None,
        plugin: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Page:
        """Jobs of one queue, the newest first, a page at a time."""
        wanted = dict(queue=queue, state=state, plugin=plugin, limit=limit, cursor=cursor)
        page = self._http.json("GET", asking(path("jobs"), **wanted), repeatable=True)
        return Page([Job._of(raw) for raw in page["jobs"]], page["cursor"])

    def cancel(self, id: str) -> Job:
        """Asks for a job to be cancelled: at once where it waits, by its worker where it runs."""
        return Job._of(self._http.json("POST", path("jobs", id, "cancel")))

    def retry(self, id: str) -> Job:
        """Runs a failed or cancelled job again."""
        return Job._of(self._http.json("POST", path("jobs", id, "retry")))

    def remove(self, id: str) -> Job:
        """Forgets a job that isn't running; answers it as it was."""
        return Job._of(self._http.json("DELETE", path("jobs", id)))

    def info(self) -> dict[str, Any]:
        """What the daemon says of itself."""
        info: dict[str, Any] = self._http.json("GET", "/v1/info", repeatable=True)
        return info

    def events(
        self,
        *,
        queue: str | None = None,
        plugin: str | None = None,
        job: str | None = None,
        kinds: Iterable[str] = (),
        after: str | None = None,
    ) -> Iterator[Event]:
        """What this daemon's worker does from now on, or since the event with the id ``after``.

        Ends when the daemon does; a connection that is lost is ``Unreachable``. Who comes back with the
        ``id`` of the last event misses nothing that is still kept.
        """
        wanted = dict(queue=queue, plugin=plugin, job=job, kind=",".join(kinds) or None)
        headers = {"accept": "text/event-stream"}
        if after is not None:
            headers["last-event-id"] = after
        return parse(self._http.lines(asking(path("events"), **wanted), headers))

    def health(self) -> dict[str, Any]:
        """Whether the daemon's process is there."""
        health: dict[str, Any] = self._http.json("GET", "/healthz")
        return health

    def ready(self) -> dict[str, Any]:
        """That jobs can be taken and run; where they can't, ``Refused`` says why."""
        ready: dict[str, Any] = self._http.json("GET", "/readyz")
        return ready

    def metrics(self) -> str:
        """What is counted, in the format of Prometheus."""
        return self._http.send("GET", "/metrics", repeatable=True)[0].decode()

    def description(self) -> dict[str, Any]:
        """The daemon's description of its API, in OpenAPI."""
        description: dict[str, Any] = self._http.json("GET", "/openapi.json", repeatable=True)
        return description

    def _poll(self, id: str, wait: float) -> Job | None:
        waiting = asking(path("jobs", id), wait=f"{int(wait * 1000)}ms")
        try:
            return Job._of(self._http.json("GET", waiting, wait=wait, repeatable=True))
        except Refused as refused:
            if refused.kind == "unknown-job":
                return None
            raise


def request(
    plugin: str, input: Any = None, *, function: str | None = None, **options: Any
) -> dict[str, Any]:
    """A job as it is on the wire, with an id of its own."""
    job: dict[str, Any] = {"plugin": plugin, "id": str(uuid.uuid4()), **options}
    if function is not None:
        job["function"] = function
    if isinstance(input, (bytes, bytearray, memoryview)):
        job["input_base64"] = base64.b64encode(input).decode()
    elif input is not None:
        job["input"] = input
    return job
