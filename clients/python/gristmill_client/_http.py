"""Requests: sent, sent again where that is harmless, and their answers read."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ._errors import Refused, Unreachable

#: How long the daemon has to answer, beside what it was asked to wait, in seconds.
ANSWER_PATIENCE = 30.0
#: The pauses before a request is sent again, in seconds: a daemon that is restarted is back within them.
PAUSES = (0.05, 0.15, 0.5)
#: What may only have come at a bad moment.
PASSING = (502, 503, 504)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A daemon never sends anybody elsewhere, and a token must not follow."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Http:
    """One daemon."""

    def __init__(self, server: str, token: str | None, ca_file: str | None) -> None:
        if not server.startswith(("http://", "https://")):
            raise ValueError(f"{server!r} is no server's address such as http://127.0.0.1:7430")
        self.server = server.rstrip("/")
        self._token = token
        handlers: list[urllib.request.BaseHandler] = [_NoRedirects()]
        if server.startswith("https://"):
            context = ssl.create_default_context(cafile=ca_file)
            handlers.append(urllib.request.HTTPSHandler(context=context))
        else:
            # No proxy leads to this machine.
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def send(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        wait: float = 0.0,
        repeatable: bool = False,
    ) -> tuple[bytes, str]:
        """The body of the answer, and its media type."""
        for pause in PAUSES if repeatable else ():
            try:
                return self._once(method, path, body, headers or {}, wait)
            except Refused as refused:
                if refused.status not in PASSING:
                    raise
            except Unreachable as unreachable:
                if isinstance(unreachable.__cause__, TimeoutError):
                    raise
            time.sleep(pause)
        return self._once(method, path, body, headers or {}, wait)

    def json(self, method: str, path: str, value: Any = None, **options: Any) -> Any:
        """A JSON value for a JSON value."""
        if method == "POST":
            options.setdefault("headers", {})["content-type"] = "application/json"
            options["body"] = json.dumps({} if value is None else value).encode()
        body, _ = self.send(method, path, **options)
        try:
            return json.loads(body)
        except ValueError as error:
            raise self._unexpected("what it says is no JSON") from error

    def lines(self, path: str, headers: dict[str, str]) -> Iterator[str]:
        """The lines of an answer without an end, as they come, without what ends each of them."""
        with self._answer("GET", path, None, headers, 0.0) as answer:
            for line in answer:
                yield line.decode(errors="replace").rstrip("\r\n")

    def _once(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], wait: float
    ) -> tuple[bytes, str]:
        with self._answer(method, path, body, headers, wait) as answer:
            return answer.read(), answer.headers.get("content-type", "")

    @contextmanager
    def _answer(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str], wait: float
    ) -> Iterator[http.client.HTTPResponse]:
        request = urllib.request.Request(
            self.server + path, data=body, headers=headers, method=method
        )
        if self._token is not None:
            request.add_unredirected_header("authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=wait + ANSWER_PATIENCE) as answer:
                yield answer
        except urllib.error.HTTPError as error:
            raise self._refusal(error) from None
        except urllib.error.URLError as error:
            reason = error.reason
            cause = reason if isinstance(reason, Exception) else error
            raise Unreachable(f"no server can be reached at {self.server}: {reason}") from cause
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"no server can be reached at {self.server}: {error}") from error

    def _refusal(self, error: urllib.error.HTTPError) -> Exception:
        try:
            problem = json.loads(error.read())
        except ValueError:
            return self._unexpected(f"status {error.code}")
        if isinstance(problem, dict) and "detail" in problem:
            return Refused(problem)
        return self._unexpected(f"status {error.code}")

    def _unexpected(self, reason: str) -> Unreachable:
        return Unreachable(f"the server at {self.server} doesn't answer as Gristmill does: {reason}")
