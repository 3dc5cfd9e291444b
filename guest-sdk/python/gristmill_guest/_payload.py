"""Bytes and their media type, and what Python's values are as such."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from ._errors import JobError, invalid_input
from ._typed import Misfit, typed

TEXT = "text/plain"
JSON = "application/json"
BYTES = "application/octet-stream"


@dataclasses.dataclass(frozen=True)
class Payload:
    """Bytes and their media type, as they travel between jobs and the host."""

    content_type: str
    """A media type such as `application/json`, with its parameters if it has any."""
    data: bytes
    """The bytes. Inputs and results are bounded by the plugin's limits, 1 MiB by default."""

    @classmethod
    def text(cls, text: str) -> Payload:
        """Text, as `text/plain`."""
        return cls(TEXT, encode(text))

    @classmethod
    def bytes(cls, data: bytes) -> Payload:
        """Bytes that nothing is known of, as `application/octet-stream`."""
        return cls(BYTES, data)

    @classmethod
    def json(cls, value: Any) -> Payload:
        """A value as JSON."""
        return cls(JSON, write_json(value))

    @property
    def media_type(self) -> str:
        """The media type without its parameters, in lower case."""
        return self.content_type.split(";")[0].strip().lower()

    @property
    def is_text(self) -> bool:
        return self.media_type.startswith("text/")

    @property
    def is_json(self) -> bool:
        return self.media_type == JSON or self.media_type.endswith("+json")

    @property
    def is_absent(self) -> bool:
        """Whether this is what a job gets that was enqueued without an input."""
        return not self.content_type and not self.data

    def parse(self, kind: Any = Any) -> Any:
        """Reads the payload as a job's input of this type is read."""
        if kind is Payload:
            return self
        if kind is bytes:
            return self.data
        if kind is str:
            return self._text()
        return self._value(kind)

    def _text(self) -> str:
        if self.is_text:
            return self._decoded()
        value = self._parsed() if self.is_json else None
        if not isinstance(value, str):
            raise self._unfit("text or a JSON string")
        return value

    def _value(self, kind: Any) -> Any:
        """Text is offered as a JSON string is, and an absent input as null."""
        if self.is_absent:
            value = None
        elif self.is_json:
            value = self._parsed()
        elif self.is_text:
            value = self._decoded()
        elif kind is Any:
            return self.data
        else:
            raise self._unfit("JSON")
        try:
            return typed(kind, value)
        except Misfit as misfit:
            if self.is_absent:
                raise self._unfit("JSON") from None
            raise invalid_input(misfit) from None

    def _decoded(self) -> str:
        try:
            return self.data.decode()
        except UnicodeDecodeError as error:
            raise invalid_input(f"the text is no UTF-8: {error.reason}") from None

    def _parsed(self) -> Any:
        try:
            return json.loads(self.data)
        except ValueError as error:
            raise invalid_input(error) from None

    def _unfit(self, expected: str) -> JobError:
        if self.is_absent:
            return invalid_input(f"expected {expected}, and there is none")
        found = f"{len(self.data)} bytes of {json.dumps(self.content_type)}"
        return invalid_input(f"expected {expected}, not {found}")


def nothing(payload: Payload) -> None:
    """Reads the input of a job that takes none."""
    if payload.data and not (payload.is_json and payload.parse() is None):
        raise payload._unfit("no input")


def to_payload(value: Any) -> Payload | None:
    """A value as a payload: `str` is text, `bytes` are bytes, `None` is nothing, the rest is JSON."""
    match value:
        case None:
            return None
        case Payload():
            return value
        case str():
            return Payload.text(value)
        case bytes() | bytearray() | memoryview():
            return Payload.bytes(bytes(value))
    return Payload.json(value)


def encode(text: str) -> bytes:
    """A lone surrogate, which JSON can bring, becomes a question mark."""
    return text.encode(errors="replace")


def write_json(value: Any) -> bytes:
    """A value as JSON; one that JSON can't hold is a fatal failure."""
    try:
        text = json.dumps(
            value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain
        )
    except (TypeError, ValueError, RecursionError) as error:
        message = f"a value can't be written as JSON: {error}"
        raise JobError.fatal(message, code="unserializable") from None
    return encode(text)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: getattr(value, field.name) for field in dataclasses.fields(value)
        }
    raise TypeError(f"{type(value).__name__} is no type of JSON")
