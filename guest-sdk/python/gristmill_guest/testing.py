"""The host of native tests: the same calls, answered in memory, with everything to be seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ._cache import Cache
from ._ctx import Ctx, NewJob
from ._errors import Seconds, seconds
from ._http import HttpResponse
from ._payload import Payload, to_payload
from ._plugin import Job, describe, dispatch
from ._test_host import Given, LogLine, Memory, Progress, Request

__all__ = ["HttpResponse", "LogLine", "Progress", "Request", "TestHost"]


class TestHost:
    """A host for native tests of jobs.

    It has a clock that stands still until `advance` moves it, an empty cache, no configuration and
    no secrets. What a test wants to be otherwise, it names; what a job did, it reads afterwards.
    Grants and budgets are the daemon's and not checked here, but what is wrong with a call by itself
    is.
    """

    # No test itself, whatever a runner makes of its name.
    __test__ = False

    def __init__(
        self,
        *,
        job_id: str = "00000000-0000-4000-8000-000000000001",
        queue: str = "default",
        attempt: int = 1,
        max_attempts: int = 5,
        parent_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        config: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        responses: Mapping[str, HttpResponse] | None = None,
        time_limit: Seconds = 30,
        log_level: str = "trace",
    ) -> None:
        self._host = Memory(
            Given(
                job_id=job_id,
                queue=queue,
                attempt=attempt,
                max_attempts=max_attempts,
                parent_id=parent_id,
                headers={name.lower(): value for name, value in (headers or {}).items()},
                config=dict(config or {}),
                secrets=dict(secrets or {}),
                responses=dict(responses or {}),
                time_limit=round(seconds(time_limit) * 1000),
                log_level=log_level,
            )
        )

    def run(self, job: Job, input: Any = None) -> Any:
        """Runs one attempt of a job and gives its result as a value; its failure is a JobError."""
        result = self.handle(job, to_payload(input))
        return None if result is None else _value(result)

    def handle(self, job: Job, input: Payload | None = None) -> Payload | None:
        """Runs one attempt of a job from payload to payload, as the daemon does."""
        with self._host.attempted():
            return dispatch([job], self._host, job.name, input or Payload("", b""))

    def describe(self, *jobs: Job) -> Any:
        """What a plugin of these jobs says of them."""
        return json.loads(describe(jobs))["functions"]

    @property
    def ctx(self) -> Ctx:
        """The context of an attempt, for tests of what jobs are made of."""
        return Ctx(self._host)

    @property
    def cache(self) -> Cache:
        """The plugin's own part of the cache."""
        return self.ctx.cache

    def bucket(self, name: str) -> Cache:
        """A shared part of the cache."""
        return self.ctx.bucket(name)

    @property
    def log(self) -> list[LogLine]:
        """All lines logged so far."""
        return self._host.lines

    @property
    def progress(self) -> Progress | None:
        """What was last said of the progress."""
        return self._host.told

    @property
    def enqueued(self) -> list[NewJob]:
        """The jobs enqueued so far: those enqueued at once, and those of attempts that succeeded."""
        return self._host.enqueued

    @property
    def requests(self) -> list[Request]:
        """The requests sent so far, whatever they were answered."""
        return self._host.requests

    def checkpoint(self, kind: Any = Any) -> Any:
        """The checkpoint that was saved last, read as a job's input is read."""
        return self.ctx.checkpoint(kind)

    def advance(self, by: Seconds) -> None:
        """Moves the clock."""
        self._host.now += round(seconds(by) * 1000)

    def cancel(self) -> None:
        """Asks for the job to be cancelled."""
        self._host.is_cancelled = True


def _value(result: Payload) -> Any:
    """A result as what it was made of: JSON as its value, text and bytes as such."""
    return result.parse() if result.is_json or result.is_text else result.data
