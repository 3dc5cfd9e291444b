"""What the test host answers to jobs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ._ctx import NewJob, Verdict
from ._errors import HostError
from ._host import Stored
from ._http import HttpResponse
from ._payload import Payload

_ENQUEUED_AT = 1_767_225_600_000
"""When the jobs of tests are enqueued: a fixed time, so that tests can be repeated."""

_CHECKPOINT_BYTES_MAX = 64 * 1024
_KEY_BYTES_MAX = 512
_VALUE_BYTES_MAX = 1024 * 1024

_LEVELS = ["trace", "debug", "info", "warn", "error"]


@dataclass(frozen=True)
class LogLine:
    """A line of the log."""

    level: str
    message: str
    fields: dict[str, str]


@dataclass(frozen=True)
class Progress:
    """How far an attempt said to be."""

    done: int
    total: int | None
    note: str | None


@dataclass(frozen=True)
class Request:
    """A request that a job sent."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None
    timeout: int | None
    """Milliseconds."""


@dataclass(frozen=True)
class Given:
    """What the host knows of the attempt."""

    job_id: str
    queue: str
    attempt: int
    max_attempts: int
    parent_id: str | None
    headers: dict[str, str]
    config: dict[str, str]
    secrets: dict[str, str]
    responses: dict[str, HttpResponse]
    time_limit: int
    log_level: str


@dataclass
class _Value:
    data: bytes
    expires_at: int | None


class Memory:
    """The contract, answered in memory. Its clock stands still until somebody moves it."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._entries: dict[tuple[str, str], _Value] = {}
        self._reservations: dict[tuple[str, str], object] = {}
        self._held: list[NewJob] = []
        self._checkpoint: Payload | None = None
        self._started = 0
        self.now = 0
        """Milliseconds since the host was made."""
        self.is_cancelled = False
        self.lines: list[LogLine] = []
        self.told: Progress | None = None
        self.enqueued: list[NewJob] = []
        self.requests: list[Request] = []

    @contextmanager
    def attempted(self) -> Iterator[None]:
        """One attempt: what it enqueues on success becomes real only then."""
        self._held = []
        self._started = self.now
        yield
        self.enqueued.extend(self._held)

    def job_id(self) -> str:
        return self._given.job_id

    def queue_name(self) -> str:
        return self._given.queue

    def attempt(self) -> int:
        return self._given.attempt

    def max_attempts(self) -> int:
        return self._given.max_attempts

    def enqueued_at(self) -> int:
        return _ENQUEUED_AT

    def parent_id(self) -> str | None:
        return self._given.parent_id

    def header(self, name: str) -> str | None:
        return self._given.headers.get(name.lower())

    def remaining(self) -> int:
        return max(self._started + self._given.time_limit - self.now, 0)

    def cancelled(self) -> bool:
        return self.is_cancelled

    def progress(self, done: int, total: int | None, note: str | None) -> None:
        self.told = Progress(done, total, note)

    def save_checkpoint(self, state: Payload) -> None:
        if len(state.data) > _CHECKPOINT_BYTES_MAX:
            raise HostError.too_large(_CHECKPOINT_BYTES_MAX)
        self._checkpoint = state

    def checkpoint(self) -> Payload | None:
        return self._checkpoint

    def log_enabled(self, level: str) -> bool:
        return _LEVELS.index(level) >= _LEVELS.index(self._given.log_level)

    def log(self, level: str, message: str, fields: list[tuple[str, str]]) -> None:
        if self.log_enabled(level):
            self.lines.append(LogLine(level, message, dict(fields)))

    def config(self, key: str) -> str | None:
        return self._given.config.get(key)

    def config_all(self) -> list[tuple[str, str]]:
        return sorted(self._given.config.items())

    def secret(self, name: str) -> str:
        if name not in self._given.secrets:
            raise HostError.access_denied(f"secrets: {name!r}")
        return self._given.secrets[name]

    def random(self, length: int) -> bytes:
        return os.urandom(length)

    def enqueue(self, jobs: list[NewJob], now: bool) -> list[Verdict]:
        verdicts = []
        for job in jobs:
            job.payload()
            number = len(self.enqueued) + len(self._held) + 2
            (self.enqueued if now else self._held).append(job)
            verdicts.append(Verdict("accepted", f"00000000-0000-4000-8000-{number:012}"))
        return verdicts

    def send(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        body: bytes | None,
        timeout: int | None,
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        self.requests.append(Request(method, url, dict(headers), body, timeout))
        response = self._given.responses.get(url)
        if response is None:
            raise HostError.access_denied(f"no response is set for {url!r}")
        return response.status, response.headers, response.body

    def get(self, bucket: str, key: str) -> bytes | None:
        value = self._live(bucket, key)
        return None if value is None else value.data

    def get_entry(self, bucket: str, key: str) -> Stored | None:
        value = self._live(bucket, key)
        if value is None:
            return None
        version = int(hashlib.sha1(value.data).hexdigest()[:13], 16)
        left = None if value.expires_at is None else value.expires_at - self.now
        return value.data, version, left

    def exists(self, bucket: str, key: str) -> bool:
        return self._live(bucket, key) is not None

    def set(self, bucket: str, key: str, value: bytes, ttl: int | None, condition: str) -> bool:
        if condition != "always" and self.exists(bucket, key) != (condition == "if-present"):
            return False
        return self._store(bucket, key, value, ttl)

    def compare_and_set(
        self, bucket: str, key: str, version: int | None, value: bytes, ttl: int | None
    ) -> bool:
        entry = self.get_entry(bucket, key)
        current = None if entry is None else entry[1]
        return current == version and self._store(bucket, key, value, ttl)

    def delete(self, bucket: str, key: str) -> bool:
        self._live(bucket, key)
        return self._entries.pop((bucket, key), None) is not None

    def touch(self, bucket: str, key: str, ttl: int | None) -> bool:
        value = self._live(bucket, key)
        return value is not None and self._store(bucket, key, value.data, ttl)

    def increment(self, bucket: str, key: str, delta: int, ttl: int | None) -> int:
        entry = self.get_entry(bucket, key)
        try:
            number, left = (0, ttl) if entry is None else (int(entry[0]), entry[2])
        except ValueError:
            raise HostError.invalid(f"the value under {key!r} is no number") from None
        self._store(bucket, key, str(number + delta).encode(), left)
        return number + delta

    def get_many(self, bucket: str, keys: list[str]) -> list[bytes | None]:
        return [self.get(bucket, key) for key in keys]

    def set_many(self, bucket: str, entries: list[tuple[str, bytes]], ttl: int | None) -> None:
        for key, value in entries:
            self._store(bucket, key, value, ttl)

    def delete_many(self, bucket: str, keys: list[str]) -> int:
        return sum(self.delete(bucket, key) for key in keys)

    def clear(self, bucket: str, prefix: str) -> int:
        return self.delete_many(bucket, self._keys(bucket, prefix))

    def scan(
        self, bucket: str, prefix: str, cursor: str | None, limit: int
    ) -> tuple[list[str], str | None]:
        # The cursor is the last key of the page before.
        rest = [key for key in self._keys(bucket, prefix) if cursor is None or key > cursor]
        page = rest[:limit]
        return page, page[-1] if len(rest) > limit else None

    def get_or_reserve(self, bucket: str, key: str, wait: int) -> tuple[str, Any]:
        value = self._live(bucket, key)
        if value is not None:
            return "hit", value.data
        place = (bucket, key)
        if place in self._reservations:
            # Nobody else runs while a test waits, so all of the time passes at once.
            self.now += wait
            return "busy", None
        self._reservations[place] = reservation = (place, object())
        return "reserved", reservation

    def fill(self, reservation: Any, value: bytes, ttl: int | None) -> bool:
        bucket, key = reservation[0]
        holds = self._reservations.get((bucket, key)) is reservation
        return holds and self._store(bucket, key, value, ttl)

    def release(self, reservation: Any) -> None:
        if self._reservations.get(reservation[0]) is reservation:
            del self._reservations[reservation[0]]

    def _live(self, bucket: str, key: str) -> _Value | None:
        length = len(key.encode())
        if not 1 <= length <= _KEY_BYTES_MAX:
            raise HostError.invalid(f"key: {length} bytes, not 1 to {_KEY_BYTES_MAX}")
        value = self._entries.get((bucket, key))
        if value is not None and value.expires_at is not None and value.expires_at <= self.now:
            del self._entries[(bucket, key)]
            return None
        return value

    def _store(self, bucket: str, key: str, value: bytes, ttl: int | None) -> bool:
        """Stores a value, which ends a reservation of its key."""
        self._live(bucket, key)
        if len(value) > _VALUE_BYTES_MAX:
            raise HostError.too_large(_VALUE_BYTES_MAX)
        self._reservations.pop((bucket, key), None)
        expires_at = None if ttl is None else self.now + ttl
        self._entries[(bucket, key)] = _Value(value, expires_at)
        return True

    def _keys(self, bucket: str, prefix: str) -> list[str]:
        found = [key for of, key in list(self._entries) if of == bucket and key.startswith(prefix)]
        return sorted(key for key in found if self._live(bucket, key) is not None)
