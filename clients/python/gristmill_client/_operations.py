"""What operators ask for: queues, plugins, the cache and workers, as the daemon shows them.

Views are dictionaries with the keys that docs/openapi.json gives them, so that a daemon which tells more
needs no other client.
"""

from __future__ import annotations

import uuid
from typing import Any

from ._errors import Refused
from ._http import Http
from ._paths import asking, path

View = dict[str, Any]
_Views = list[View]

#: How long compiling a plugin may take, beside what every answer may, in seconds: as long as the compiler has.
PUSH_PATIENCE = 120.0


class _Part:
    """The calls of one part of the daemon."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def _get(self, path: str) -> View:
        view: View = self._http.json("GET", path, repeatable=True)
        return view

    def _post(self, path: str) -> View:
        view: View = self._http.json("POST", path)
        return view

    def _or_none(self, kind: str, method: str, path: str, **options: Any) -> bytes | None:
        """The body of the answer; none, where it is a refusal of this kind."""
        try:
            return self._http.send(method, path, **options)[0]
        except Refused as refused:
            if refused.kind == kind:
                return None
            raise


class Queues(_Part):
    """Queues, and what is done to a whole one."""

    def list(self) -> _Views:
        """The queues that were ever used, by name, with counts and latency."""
        queues: _Views = self._get("/v1/queues")["queues"]
        return queues

    def get(self, name: str) -> View:
        """How a queue stands; an unused one is empty."""
        return self._get(path("queues", name))

    def pause(self, name: str) -> View:
        """Stops leasing from a queue; enqueueing, and what runs, go on."""
        return self._post(path("queues", name, "pause"))

    def resume(self, name: str) -> View:
        """Leases from a queue again."""
        return self._post(path("queues", name, "resume"))

    def clear_failed(self, name: str) -> int:
        """Forgets all failed jobs of a queue, and answers how many there were."""
        return int(self._post(path("queues", name, "clear-failed"))["cleared"])

    def requeue_failed(self, name: str, *, plugin: str | None = None) -> View:
        """Runs all failed jobs of a queue again, or those of one plugin."""
        return self._post(asking(path("queues", name, "requeue-failed"), plugin=plugin))


class Plugins(_Part):
    """The daemon's plugins, or those of its fleet."""

    def list(self) -> View:
        """All of them, under ``plugins``; ``fault`` is there if their folder can't be followed."""
        return self._get("/v1/plugins")

    def get(self, name: str) -> View | None:
        """A plugin; none, if there is none of this name."""
        try:
            return self._get(path("plugins", name))
        except Refused as refused:
            if refused.kind == "no-plugin":
                return None
            raise

    def schema(self, name: str) -> View:
        """What a plugin's functions take and give."""
        return self._get(path("plugins", name, "schema"))

    def versions(self, name: str) -> _Views:
        """The versions that jobs can run on, the one that serves first."""
        versions: _Views = self._get(path("plugins", name, "versions"))["versions"]
        return versions

    def put(self, name: str, component: bytes, manifest: str | None = None) -> View:
        """Puts a plugin in place of the one with its name, and answers it as it serves then.

        Without a manifest it is granted nothing. One that can't be used is ``Refused``, with everything
        that is wrong with it under ``faults`` of the problem, and changes nothing.
        """
        # By chance, so that no component holds it.
        boundary = f"gristmill-{uuid.uuid4()}"
        parts = [("component", component)]
        if manifest is not None:
            parts.append(("manifest", manifest.encode()))
        head = '--{}\r\nContent-Disposition: form-data; name="{}"\r\n\r\n'
        body = b"".join(
            head.format(boundary, part).encode() + value + b"\r\n" for part, value in parts
        )
        view: View = self._http.json(
            "PUT",
            path("plugins", name),
            body=body + f"--{boundary}--\r\n".encode(),
            headers={"content-type": f"multipart/form-data; boundary={boundary}"},
            wait=PUSH_PATIENCE,
        )
        return view

    def remove(self, name: str) -> bool:
        """Takes a plugin out; false: there was none of this name."""
        return self._or_none("no-plugin", "DELETE", path("plugins", name)) is not None


class Cache(_Part):
    """The cache that jobs share; a ``space`` is ``plugin:NAME`` or ``bucket:NAME``."""

    def stats(self) -> View:
        """What the cache says of itself."""
        return self._get("/v1/cache")

    def get(self, space: str, key: str) -> bytes | None:
        """The value under a key, byte for byte."""
        path = asking("/v1/cache/entry", space=space, key=key)
        return self._or_none("unknown-entry", "GET", path, repeatable=True)

    def set(self, space: str, key: str, value: bytes, *, ttl: float | None = None) -> None:
        """Stores a value for ``ttl`` seconds, or for as long as there is room."""
        lifetime = None if ttl is None else duration(ttl)
        path = asking("/v1/cache/entry", space=space, key=key, ttl=lifetime)
        headers = {"content-type": "application/octet-stream"}
        self._http.send("PUT", path, body=value, headers=headers, repeatable=True)

    def delete(self, space: str, key: str) -> bool:
        """Removes an entry; false: there was none."""
        path = asking("/v1/cache/entry", space=space, key=key)
        return self._or_none("unknown-entry", "DELETE", path) is not None

    def clear(self, space: str, prefix: str = "") -> int:
        """Removes the entries whose keys begin so, and answers how many there were."""
        path = asking("/v1/cache", space=space, prefix=prefix)
        return int(self._http.json("DELETE", path)["cleared"])


class Workers(_Part):
    """The workers of all daemons that share the queue."""

    def list(self) -> View:
        """All of them with what each runs, under ``workers``; ``fault`` is there while only those of this
        daemon are known."""
        return self._get("/v1/workers")

    def quiet(self, id: str) -> View:
        """Lets a worker take no more jobs; what runs goes on. Answers how it was last heard of."""
        return self._post(path("workers", id, "quiet"))

    def resume(self, id: str) -> View:
        """Lets a worker take jobs again."""
        return self._post(path("workers", id, "resume"))

    def stop(self, id: str) -> View:
        """Ends a worker and its daemon, as SIGTERM does."""
        return self._post(path("workers", id, "stop"))


def duration(seconds: float) -> str:
    """As the daemon reads it, which takes six digits at most: longer ones are told less finely."""
    for unit, of_a_second in (("ms", 1000), ("s", 1), ("m", 1 / 60)):
        count = max(1, round(seconds * of_a_second))
        if count < 1_000_000:
            return f"{count}{unit}"
    return f"{round(seconds / 3600)}h"
