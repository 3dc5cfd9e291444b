"""The real host, by the bindings that componentize-py makes of the contract."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from componentize_py_types import Err
from wit_world.imports import cache, config, context, http, log, queue, secrets, system, types

from ._ctx import NewJob, Verdict
from ._errors import Disposition, HostError, JobError
from ._host import Stored, milliseconds
from ._payload import Payload, to_payload

P = ParamSpec("P")
T = TypeVar("T")

_CONDITIONS = {
    "always": cache.Condition.ALWAYS,
    "if-absent": cache.Condition.IF_ABSENT,
    "if-present": cache.Condition.IF_PRESENT,
}


def payload(payload: Payload) -> types.Payload:
    """A payload as the contract has it."""
    return types.Payload(_well_formed(payload.content_type), bytes(payload.data))


def failure(error: JobError) -> Err[types.Failure]:
    """A failure as the contract has it."""
    try:
        detail = to_payload(error.detail)
    except JobError as unserializable:
        detail = Payload.text(str(unserializable))
    match error.disposition:
        case Disposition.RETRY:
            disposition: types.Disposition = types.Disposition_Retry()
        case Disposition.RETRY_AFTER:
            disposition = types.Disposition_RetryAfter(milliseconds(error.delay) or 0)
        case Disposition.FATAL:
            disposition = types.Disposition_Fatal()
    told = None if detail is None else payload(detail)
    message, code = _well_formed(error.message), _well_formed(error.code)
    return Err(types.Failure(message, code, told, disposition))


def _host_error(error: types.Error) -> HostError:
    match error:
        case types.Error_AccessDenied(grant):
            return HostError.access_denied(grant)
        case types.Error_Invalid(reason):
            return HostError.invalid(reason)
        case types.Error_TooLarge(limit):
            return HostError.too_large(limit)
        case types.Error_QuotaExceeded(budget):
            return HostError.quota_exceeded(budget)
        case types.Error_Unavailable(service):
            return HostError.unavailable(service)
        case types.Error_Other((code, message)):
            return HostError(code, message)
    raise AssertionError(f"the contract has no error {error!r}")


def _ask(call: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Calls the host; what it answers as an error is raised as a HostError."""
    try:
        return call(*map(_well_formed, arguments), **named)
    except Err as error:
        raise _host_error(error.value) from None


class _Sandbox:
    job_id = staticmethod(context.job_id)
    queue_name = staticmethod(context.queue_name)
    attempt = staticmethod(context.attempt)
    max_attempts = staticmethod(context.max_attempts)
    enqueued_at = staticmethod(context.enqueued_at)
    parent_id = staticmethod(context.parent_id)
    remaining = staticmethod(context.remaining)
    cancelled = staticmethod(context.cancelled)
    config_all = staticmethod(config.all)

    def header(self, name: str) -> str | None:
        return _ask(context.header, name)

    def progress(self, done: int, total: int | None, note: str | None) -> None:
        _ask(context.progress, done, total, note)

    def config(self, key: str) -> str | None:
        return _ask(config.get, key)

    def save_checkpoint(self, state: Payload) -> None:
        _ask(context.save_checkpoint, payload(state))

    def checkpoint(self) -> Payload | None:
        saved = context.checkpoint()
        return None if saved is None else Payload(saved.content_type, saved.data)

    def log_enabled(self, level: str) -> bool:
        return log.enabled(log.Level[level.upper()])

    def log(self, level: str, message: str, fields: list[tuple[str, str]]) -> None:
        _ask(log.emit, log.Level[level.upper()], message, fields)

    def secret(self, name: str) -> str:
        return _ask(secrets.get, name)

    def random(self, length: int) -> bytes:
        return _ask(system.random, length)

    def enqueue(self, jobs: list[NewJob], now: bool) -> list[Verdict]:
        commit = queue.Commit.IMMEDIATELY if now else queue.Commit.ON_SUCCESS
        verdicts = _ask(queue.enqueue, [_new_job(job) for job in jobs], commit)
        return [_verdict(verdict) for verdict in verdicts]

    def send(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        body: bytes | None,
        timeout: int | None,
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        answer = _ask(http.send, http.Request(*_well_formed([method, url, headers, body, timeout])))
        return answer.status, answer.headers, answer.body

    def get(self, bucket: str, key: str) -> bytes | None:
        return _ask(cache.get, bucket, key)

    def get_entry(self, bucket: str, key: str) -> Stored | None:
        entry = _ask(cache.get_entry, bucket, key)
        return None if entry is None else (entry.value, entry.version, entry.ttl)

    def exists(self, bucket: str, key: str) -> bool:
        return _ask(cache.exists, bucket, key)

    def set(self, bucket: str, key: str, value: bytes, ttl: int | None, condition: str) -> bool:
        return _ask(cache.set, bucket, key, value, ttl, _CONDITIONS[condition])

    def compare_and_set(
        self, bucket: str, key: str, version: int | None, value: bytes, ttl: int | None
    ) -> bool:
        return _ask(cache.compare_and_set, bucket, key, version, value, ttl)

    def delete(self, bucket: str, key: str) -> bool:
        return _ask(cache.delete, bucket, key)

    def touch(self, bucket: str, key: str, ttl: int | None) -> bool:
        return _ask(cache.touch, bucket, key, ttl)

    def increment(self, bucket: str, key: str, delta: int, ttl: int | None) -> int:
        return _ask(cache.increment, bucket, key, delta, ttl)

    def get_many(self, bucket: str, keys: list[str]) -> list[bytes | None]:
        return _ask(cache.get_many, bucket, keys)

    def set_many(self, bucket: str, entries: list[tuple[str, bytes]], ttl: int | None) -> None:
        _ask(cache.set_many, bucket, entries, ttl)

    def delete_many(self, bucket: str, keys: list[str]) -> int:
        return _ask(cache.delete_many, bucket, keys)

    def clear(self, bucket: str, prefix: str) -> int:
        return _ask(cache.clear, bucket, prefix)

    def scan(
        self, bucket: str, prefix: str, cursor: str | None, limit: int
    ) -> tuple[list[str], str | None]:
        page = _ask(cache.scan, bucket, prefix, cursor, limit)
        return page.keys, page.cursor

    def get_or_reserve(self, bucket: str, key: str, wait: int) -> tuple[str, Any]:
        match _ask(cache.get_or_reserve, bucket, key, wait):
            case cache.Lookup_Hit(value):
                return "hit", value
            case cache.Lookup_Reserved(reservation):
                return "reserved", reservation
        return "busy", None

    def fill(self, reservation: Any, value: bytes, ttl: int | None) -> bool:
        return _ask(cache.Reservation.fill, reservation, value, ttl)

    def release(self, reservation: Any) -> None:
        reservation.__exit__(None, None, None)


SANDBOX = _Sandbox()


def _new_job(job: NewJob) -> queue.NewJob:
    made = queue.NewJob(_well_formed(job.function), payload(job.payload()))
    setters: list[tuple[Callable[[Any], None], Any]] = [
        (made.set_queue, job.queue),
        (made.set_priority, job.priority),
        (made.set_delay, milliseconds(job.delay)),
        (made.set_max_attempts, job.max_attempts),
        (made.set_timeout, milliseconds(job.timeout)),
        (made.set_unique_key, job.unique_key),
    ]
    for setter, value in setters:
        if value is not None:
            setter(_well_formed(value))
    for name, value in job.headers.items():
        made.set_header(_well_formed(name), _well_formed(value))
    return made


def _verdict(verdict: queue.Verdict) -> Verdict:
    match verdict:
        case queue.Verdict_Accepted(id):
            return Verdict("accepted", id)
        case queue.Verdict_UniqueConflict(id):
            return Verdict("unique-conflict", id)
        case queue.Verdict_Rejected(reason):
            return Verdict("rejected", reason=reason)
    raise AssertionError(f"the contract has no verdict {verdict!r}")


def _well_formed(value: Any) -> Any:
    """Text that UTF-8 can hold, in lists and tuples too: a lone surrogate would end the attempt as a
    trap, far from its cause.
    """
    match value:
        case str():
            return value.encode(errors="replace").decode()
        case list() | tuple():
            return type(value)(map(_well_formed, value))
    return value


class _Lines(logging.Handler):
    """Lines of Python's own logging, in the job's log."""

    def emit(self, record: logging.LogRecord) -> None:
        level = (
            "debug"
            if record.levelno < logging.INFO
            else "info"
            if record.levelno < logging.WARNING
            else "warn"
            if record.levelno < logging.ERROR
            else "error"
        )
        SANDBOX.log(level, self.format(record), [("logger", record.name)])


def take_logging() -> None:
    """Sends what Python's own logging says, from level INFO, to the job's log."""
    root = logging.getLogger()
    if not any(isinstance(handler, _Lines) for handler in root.handlers):
        root.addHandler(_Lines())
        root.setLevel(logging.INFO)
