"""What jobs remember beyond their attempt."""

from __future__ import annotations

import json
from contextlib import nullcontext
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

from ._errors import HostError, JobError, Seconds
from ._host import Host, milliseconds
from ._payload import encode, write_json
from ._typed import Misfit, typed

T = TypeVar("T")

_BATCH_MAX = 256
"""How many keys go into one call of the host."""

_WAIT_MAX = 5_000
"""The most milliseconds that one call of the host waits for another's computation; then the time
left is looked at again."""


class _UnreadableValue(HostError):
    """A stored value isn't of the kind that was asked for."""


@dataclass(frozen=True)
class Entry:
    """A value with what is known of it."""

    value: Any
    version: int
    """For `Cache.compare_and_set`."""
    ttl: float | None
    """The seconds that it is still kept, if it expires."""


class Reservation:
    """The right to fill one missing key. An attempt that ends without it lets the next caller try."""

    def __init__(self, host: Host, key: str, held: Any) -> None:
        self._host = host
        self._key = key
        self._held = held

    def fill(self, value: Any, ttl: Seconds | None = None, kind: Any = Any) -> bool:
        """Stores the value and ends the reservation. False: it had been lost, nothing was stored."""
        data = _write(self._key, value, kind)
        kept = milliseconds(ttl)
        held, self._held = self._held, None
        if held is None:
            raise HostError.invalid(f"the reservation of {self._key!r} has ended")
        return self._host.fill(held, data, kept)

    def release(self) -> None:
        """Lets the next caller try."""
        held, self._held = self._held, None
        if held is not None:
            self._host.release(held)

    def __enter__(self) -> Reservation:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


class Cache:
    """One namespace of the cache.

    Values are JSON, unless `kind` is `str` or `bytes`; what is stored as one is read as the same.
    With any other `kind` the value is checked as a job's input is.
    """

    def __init__(self, host: Host, bucket: str) -> None:
        self._host = host
        self._bucket = bucket

    def get(self, key: str, kind: Any = Any) -> Any:
        """The value under a key; None, if there is none."""
        data = self._host.get(self._bucket, key)
        return None if data is None else _read(key, data, kind)

    def entry(self, key: str, kind: Any = Any) -> Entry | None:
        """The value under a key with its version and time to live."""
        found = self._host.get_entry(self._bucket, key)
        if found is None:
            return None
        data, version, ttl = found
        return Entry(_read(key, data, kind), version, None if ttl is None else ttl / 1000)

    def exists(self, key: str) -> bool:
        """Whether there is an entry."""
        return self._host.exists(self._bucket, key)

    def set(
        self,
        key: str,
        value: Any,
        ttl: Seconds | None = None,
        *,
        if_absent: bool = False,
        if_present: bool = False,
        kind: Any = Any,
    ) -> bool:
        """Stores a value. False: `if_absent` or `if_present` was asked for, and it wasn't so."""
        condition = "if-absent" if if_absent else "if-present" if if_present else "always"
        data = _write(key, value, kind)
        return self._host.set(self._bucket, key, data, milliseconds(ttl), condition)

    def compare_and_set(
        self,
        key: str,
        version: int | None,
        value: Any,
        ttl: Seconds | None = None,
        *,
        kind: Any = Any,
    ) -> bool:
        """Stores a value if the entry has this version still; None: if there is no entry."""
        data = _write(key, value, kind)
        return self._host.compare_and_set(self._bucket, key, version, data, milliseconds(ttl))

    def delete(self, key: str) -> bool:
        """Removes an entry. False: there was none."""
        return self._host.delete(self._bucket, key)

    def touch(self, key: str, ttl: Seconds | None) -> bool:
        """Gives an entry a new time to live; None: it doesn't expire. False: there is no entry."""
        return self._host.touch(self._bucket, key, milliseconds(ttl))

    def increment(self, key: str, delta: int = 1, ttl: Seconds | None = None) -> int:
        """Adds to a number, starting from 0, and answers the sum. An entry that exists keeps its time."""
        return self._host.increment(self._bucket, key, delta, milliseconds(ttl))

    def get_many(self, keys: Iterable[str], kind: Any = Any) -> list[Any]:
        """The values under many keys, in the order of the keys."""
        found: list[Any] = []
        for batch in _batches(keys):
            values = self._host.get_many(self._bucket, batch)
            for key, data in zip(batch, values, strict=True):
                found.append(None if data is None else _read(key, data, kind))
        return found

    def set_many(
        self, entries: Mapping[str, Any], ttl: Seconds | None = None, *, kind: Any = Any
    ) -> None:
        """Stores many entries. Not one step: others may see some before the rest."""
        kept = milliseconds(ttl)
        for batch in _batches(entries.items()):
            written = [(key, _write(key, value, kind)) for key, value in batch]
            self._host.set_many(self._bucket, written, kept)

    def delete_many(self, keys: Iterable[str]) -> int:
        """Removes many entries and answers how many there were."""
        return sum(self._host.delete_many(self._bucket, batch) for batch in _batches(keys))

    def clear(self, prefix: str = "") -> int:
        """Removes all entries whose keys start with a prefix and answers how many there were."""
        return self._host.clear(self._bucket, prefix)

    def scan(self, prefix: str = "") -> Iterator[str]:
        """The keys that start with a prefix, in no particular order, read page by page."""
        cursor: str | None = None
        while True:
            keys, cursor = self._host.scan(self._bucket, prefix, cursor, _BATCH_MAX)
            yield from keys
            if cursor is None:
                return

    def remember(
        self, key: str, ttl: Seconds, compute: Callable[[], T], *, kind: Any = Any
    ) -> T:
        """The value under a key; where there is none, it is computed, by one caller while the others
        wait for it, and stored for `ttl`.

        The cache is a help here and no need: where it can't be reached or the attempt's budget for
        it is spent, where it holds a value of another kind, and where another caller computes for
        longer than half of the time that this attempt had left, the value is computed here. What
        was in the way is logged.
        """
        found, value, reservation = self._hit_or_turn(key, kind)
        if found:
            return value
        with reservation or nullcontext():
            computed = compute()
            try:
                if reservation is None:
                    self.set(key, computed, ttl, kind=kind)
                else:
                    reservation.fill(computed, ttl, kind)
            except HostError as error:
                self._warn(key, "a computed value isn't kept", error)
            return computed

    def get_or_reserve(
        self, key: str, wait: Seconds, kind: Any = Any
    ) -> tuple[bool, Any, Reservation | None]:
        """Whether there is a value, the value, and if there is none the right to be the only one who
        computes it; None: another caller computes it and wasn't done in the time given.
        """
        state, given = self._host.get_or_reserve(self._bucket, key, milliseconds(wait) or 0)
        if state == "hit":
            return True, _read(key, given, kind), None
        reserved = Reservation(self._host, key, given) if state == "reserved" else None
        return False, None, reserved

    def _hit_or_turn(self, key: str, kind: Any) -> tuple[bool, Any, Reservation | None]:
        wait_until = self._host.remaining() / 2
        while True:
            wait = min(max(int(self._host.remaining() - wait_until), 0), _WAIT_MAX)
            try:
                found, value, reservation = self.get_or_reserve(key, wait / 1000, kind)
            except _UnreadableValue as error:
                self._warn(key, "a value of another kind is replaced", error)
                return False, None, None
            except HostError as error:
                if error.disposition.value != "retry":
                    raise
                self._warn(key, "computing without the cache", error)
                return False, None, None
            if found or reservation is not None:
                return found, value, reservation
            if self._host.remaining() <= wait_until:
                self._warn(key, "another computes for too long", "computing it here too")
                return False, None, None

    def _warn(self, key: str, message: str, reason: object) -> None:
        self._host.log("warn", message, [("key", key), ("reason", str(reason))])


def _read(key: str, data: bytes, kind: Any) -> Any:
    try:
        if kind is bytes:
            return data
        if kind is str:
            return data.decode()
        return typed(kind, json.loads(data))
    except (ValueError, Misfit) as error:
        name = getattr(kind, "__name__", str(kind)) if kind is not Any else "JSON"
        reason = f"invalid argument: the value under {key!r} is no {name}: {error}"
        raise _UnreadableValue("invalid", reason) from None


def _write(key: str, value: Any, kind: Any) -> bytes:
    if kind is bytes:
        if not isinstance(value, bytes | bytearray | memoryview):
            raise HostError.invalid(f"the value for {key!r}: these are no bytes")
        return bytes(value)
    if kind is str:
        return encode(str(value))
    try:
        return write_json(value)
    except JobError as error:
        raise HostError.invalid(f"the value for {key!r}: {error}") from None


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    everything = list(items)
    for at in range(0, len(everything), _BATCH_MAX):
        yield everything[at : at + _BATCH_MAX]
