"""Failures that say what to do about them."""

from __future__ import annotations

import traceback
from datetime import timedelta
from enum import Enum
from typing import Any

Seconds = float | timedelta
"""A time: seconds, or a timedelta."""

_HOPELESS = {"access-denied", "invalid", "too-large"}
"""Another attempt has no chance: the same call would be refused again."""


class Disposition(Enum):
    """What the host does after a failure."""

    RETRY = "retry"
    """Try again by the job's retry policy."""
    RETRY_AFTER = "retry-after"
    """Try again no sooner than after the error's `delay`."""
    FATAL = "fatal"
    """Never try again."""


class HostError(Exception):
    """What a call of the host raises when it can't give its result.

    Not caught, it becomes the job's failure with `code` and `disposition`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        hopeless = code in _HOPELESS
        self.disposition = Disposition.FATAL if hopeless else Disposition.RETRY

    @classmethod
    def access_denied(cls, grant: str) -> HostError:
        return cls("access-denied", f"access denied: {grant}")

    @classmethod
    def invalid(cls, reason: str) -> HostError:
        return cls("invalid", f"invalid argument: {reason}")

    @classmethod
    def too_large(cls, limit: int) -> HostError:
        return cls("too-large", f"larger than the limit of {limit} bytes")

    @classmethod
    def quota_exceeded(cls, budget: str) -> HostError:
        return cls("quota-exceeded", f"quota exceeded: {budget}")

    @classmethod
    def unavailable(cls, service: str) -> HostError:
        return cls("unavailable", f"{service} is unavailable")


class JobError(Exception):
    """Why an attempt failed, and whether to try again."""

    def __init__(
        self,
        disposition: Disposition,
        message: object,
        *,
        code: str | None = None,
        detail: Any = None,
        delay: Seconds | None = None,
    ) -> None:
        super().__init__(str(message))
        self.disposition = disposition
        self.code = None if code is None else str(code)
        self.detail = detail
        self.delay = None if delay is None else seconds(delay)

    @classmethod
    def retry(cls, message: object, *, code: str | None = None, detail: Any = None) -> JobError:
        """A failure that may pass: the job is tried again by its retry policy."""
        return cls(Disposition.RETRY, message, code=code, detail=detail)

    @classmethod
    def retry_after(
        cls, delay: Seconds, message: object, *, code: str | None = None, detail: Any = None
    ) -> JobError:
        """A failure that may pass, but not before this time is over."""
        return cls(Disposition.RETRY_AFTER, message, code=code, detail=detail, delay=delay)

    @classmethod
    def fatal(cls, message: object, *, code: str | None = None, detail: Any = None) -> JobError:
        """A failure that another attempt would meet again: the job is not tried again."""
        return cls(Disposition.FATAL, message, code=code, detail=detail)

    @property
    def message(self) -> str:
        """The messages of the error and of its causes."""
        return chain(self)

    @classmethod
    def from_exception(cls, error: BaseException) -> JobError:
        """Any exception as a JobError. What nobody expected is tried again, its traceback as detail."""
        if isinstance(error, JobError):
            return error
        detail = "".join(traceback.format_exception(error)).rstrip()
        answered = _host_error_of(error)
        if answered is not None:
            failure = cls(answered.disposition, chain(error), code=answered.code, detail=detail)
        else:
            failure = cls.retry(chain(error), code=type(error).__name__, detail=detail)
        return failure


def invalid_input(reason: object) -> JobError:
    """Input that doesn't fit is the producer's fault, and would be so again."""
    return JobError.fatal(f"invalid input: {reason}", code="invalid-input")


def seconds(time: Seconds) -> float:
    """A time in seconds."""
    return time.total_seconds() if isinstance(time, timedelta) else float(time)


def chain(error: BaseException) -> str:
    """The messages of an error and of its causes, unless one repeats the next."""
    plain = isinstance(error, JobError | HostError) or type(error) is Exception
    message = str(error) if plain else f"{type(error).__name__}: {error}".removesuffix(": ")
    cause = error.__cause__
    while cause is not None:
        if not message.endswith(str(cause)):
            message += f": {cause}"
        cause = cause.__cause__
    return message


def _host_error_of(error: BaseException) -> HostError | None:
    found: BaseException | None = error
    while found is not None and not isinstance(found, HostError):
        found = found.__cause__
    return found
