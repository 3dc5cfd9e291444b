"""Events: what a daemon's worker does, as it does it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Event:
    """Something that happened."""

    #: Such as ``attempt_started`` or ``settled``.
    kind: str
    #: By what to come back; none for what is told to this listener alone, such as ``lagged``.
    id: str | None
    #: All of it, with the keys that ``EventView`` of docs/openapi.json has.
    data: dict[str, Any]


def parse(lines: Iterable[str]) -> Iterator[Event]:
    """The events in a stream of server-sent ones. Comments are signs of life, and pass unheard."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[name] = f"{fields[name]}\n{value}" if name == "data" and name in fields else value
            continue
        if "data" in fields:
            data = json.loads(fields["data"])
            yield Event(fields.get("event", data["kind"]), fields.get("id"), data)
        fields = {}
