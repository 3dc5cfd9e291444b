"""What goes wrong between client and daemon."""

from __future__ import annotations

from typing import Any


class Unreachable(Exception):
    """Nobody answers at the daemon's address, or what answers is no daemon."""


class Refused(Exception):
    """The daemon said no, and why."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail") or problem.get("title") or "refused")
        #: The whole problem, as RFC 9457 has it.
        self.problem = problem
        #: What kind of problem it is, such as ``unknown-plugin``.
        self.kind: str = str(problem.get("type", "")).rsplit("/", 1)[-1]
        #: The HTTP status.
        self.status: int = int(problem.get("status", 0))
        #: The key, parameter or header that is wrong, where it is one.
        self.field: str | None = problem.get("field")
