"""Jobs as the daemon shows them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

_FINAL = ("completed", "failed", "cancelled")


@dataclass(frozen=True)
class Job:
    """A job. The most asked for is here by its name; ``raw`` has all of it."""

    id: str
    plugin: str
    function: str | None
    queue: str
    state: str
    attempt: int
    #: What it handed back: a JSON value, text, or bytes.
    result: Any
    #: ``code``, ``message`` and more of the last failure.
    error: dict[str, Any] | None
    raw: dict[str, Any]

    @classmethod
    def _of(cls, raw: dict[str, Any]) -> Job:
        result = raw.get("result")
        if "result_base64" in raw:
            result = base64.b64decode(raw["result_base64"])
        return cls(
            id=raw["id"],
            plugin=raw["plugin"],
            function=raw["function"],
            queue=raw["queue"],
            state=raw["state"],
            attempt=raw["attempt"],
            result=result,
            error=raw["error"],
            raw=raw,
        )

    @property
    def has_ended(self) -> bool:
        """Whether nothing more becomes of it, unless somebody asks for it."""
        return self.state in _FINAL


@dataclass(frozen=True)
class Page:
    """A page of jobs, the newest first."""

    jobs: list[Job]
    #: Where to go on; none: this is the last page.
    cursor: str | None


@dataclass(frozen=True)
class Verdict:
    """What became of one job of many."""

    #: ``created``, ``duplicate``, ``unique_conflict`` or ``rejected``.
    verdict: str
    id: str | None
    #: Why it was refused.
    message: str | None
    raw: dict[str, Any]

    @classmethod
    def _of(cls, raw: dict[str, Any]) -> Verdict:
        return cls(raw["verdict"], raw.get("id"), raw.get("message"), raw)
