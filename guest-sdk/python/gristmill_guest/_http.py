"""Requests to the hosts that the manifest allows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ._errors import HostError, JobError, Seconds
from ._host import Host, milliseconds
from ._payload import to_payload
from ._typed import Misfit, typed


@dataclass(frozen=True)
class HttpResponse:
    """What came back, whatever its status."""

    status: int
    body: bytes = b""
    headers: list[tuple[str, str]] = field(default_factory=list)

    def header(self, name: str) -> str | None:
        """The first header of this name, in whatever case."""
        wanted = name.lower()
        return next((value for known, value in self.headers if known.lower() == wanted), None)

    def success(self) -> HttpResponse:
        """The response, if its status is one of success.

        Otherwise it raises the job's failure: 429 and 5xx are tried again, after the time that a
        header `retry-after` gives in seconds; everything else isn't.
        """
        if 200 <= self.status < 300:
            return self
        message = f"the server answered with status {self.status}"
        code = f"http-{self.status}"
        if self.status != 429 and self.status < 500:
            raise JobError.fatal(message, code=code)
        after = (self.header("retry-after") or "").strip()
        if after.isdecimal():
            raise JobError.retry_after(int(after), message, code=code)
        raise JobError.retry(message, code=code)

    def text(self) -> str:
        """The body as text."""
        try:
            return self.body.decode()
        except UnicodeDecodeError as error:
            raise HostError.invalid(f"the response is no text in UTF-8: {error}") from None

    def json(self, kind: Any = Any) -> Any:
        """The body as the value that its JSON says, checked as a job's input is."""
        try:
            return typed(kind, json.loads(self.body))
        except (ValueError, Misfit) as error:
            raise HostError.invalid(f"the response is no such JSON: {error}") from None


class Http:
    """Outbound HTTP; `Ctx.http` gives it.

    A redirect isn't followed: it is a response like any other.
    """

    def __init__(self, host: Host) -> None:
        self._host = host

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | list[tuple[str, str]] | None = None,
        body: Any = None,
        timeout: Seconds | None = None,
    ) -> HttpResponse:
        """Sends a request and waits for the whole response. A status of failure is no error here."""
        sent = list(headers.items() if isinstance(headers, Mapping) else headers or [])
        payload = to_payload(body)
        has_type = any(name.lower() == "content-type" for name, _ in sent)
        if payload is not None and payload.content_type and not has_type:
            sent.append(("content-type", payload.content_type))
        data = None if payload is None else payload.data
        answer = self._host.send(method, url, sent, data, milliseconds(timeout))
        status, got, content = answer
        return HttpResponse(status, content, got)

    def get(self, url: str, **options: Any) -> HttpResponse:
        """A `GET`."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> HttpResponse:
        """A `POST`."""
        return self.request("POST", url, **options)
