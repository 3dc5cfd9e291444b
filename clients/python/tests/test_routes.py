"""The client against docs/openapi.json: every request of the document has its call, and no call asks for another."""

import json
import pathlib
import re
import unittest
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import parse_qsl, urlsplit

from gristmill_client import Client
from gristmill_client._http import Http

DOCUMENT = pathlib.Path(__file__).parents[3] / "docs/openapi.json"
ID = "6f9619ff-8b86-4011-b42d-00cf4fc964ff"

#: By the document's names, with everything that each can be asked for.
CALLS: dict[str, Callable[[Client], Any]] = {
    "health": lambda c: c.health(),
    "metrics": lambda c: c.metrics(),
    "describe": lambda c: c.description(),
    "readiness": lambda c: c.ready(),
    "info": lambda c: c.info(),
    "listenToEvents": lambda c: next(
        c.events(queue="q", plugin="p", job=ID, kinds=["settled", "released"], after="7")
    ),
    "listJobs": lambda c: c.list(queue="q", state="failed", plugin="p", limit=2, cursor="x"),
    "enqueueJobs": lambda c: c.enqueue("p", 1),
    "showJob": lambda c: c.get(ID),
    "removeJob": lambda c: c.remove(ID),
    "cancelJob": lambda c: c.cancel(ID),
    "showLogs": lambda c: c.logs(ID),
    "getResult": lambda c: c.result(ID),
    "retryJob": lambda c: c.retry(ID),
    "showCache": lambda c: c.cache.stats(),
    "clearCache": lambda c: c.cache.clear("bucket:b", "k"),
    "getEntry": lambda c: c.cache.get("bucket:b", "k"),
    "setEntry": lambda c: c.cache.set("bucket:b", "k", b"v", ttl=2.5),
    "deleteEntry": lambda c: c.cache.delete("bucket:b", "k"),
    "listPlugins": lambda c: c.plugins.list(),
    "showPlugin": lambda c: c.plugins.get("p"),
    "putPlugin": lambda c: c.plugins.put("p", b"(component)", "name = 1"),
    "removePlugin": lambda c: c.plugins.remove("p"),
    "showSchema": lambda c: c.plugins.schema("p"),
    "listVersions": lambda c: c.plugins.versions("p"),
    "listQueues": lambda c: c.queues.list(),
    "showQueue": lambda c: c.queues.get("q"),
    "clearFailed": lambda c: c.queues.clear_failed("q"),
    "pauseQueue": lambda c: c.queues.pause("q"),
    "requeueFailed": lambda c: c.queues.requeue_failed("q", plugin="p"),
    "resumeQueue": lambda c: c.queues.resume("q"),
    "listWorkers": lambda c: c.workers.list(),
    "quietWorker": lambda c: c.workers.quiet(ID),
    "resumeWorker": lambda c: c.workers.resume(ID),
    "stopWorker": lambda c: c.workers.stop(ID),
}
#: The client gives every job an id, which does the same.
NEEDLESS = {("enqueueJobs", "idempotency-key")}


class Asked(BaseException):
    """The request that a call would have sent; nothing that the client does with errors stops it."""

    def __init__(self, method: str, target: str, headers: dict[str, str], body: Any) -> None:
        self.method, self.headers, self.body = method, headers, body
        parts = urlsplit(target)
        self.path, self.query = parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))


class Recorder(Http):
    def _answer(self, method, path, body, headers, wait) -> NoReturn:
        raise Asked(method, path, headers, body)


def asked(call: Callable[[Client], Any]) -> Asked:
    client = Client("http://127.0.0.1:1")
    for part in (client, client.queues, client.plugins, client.cache, client.workers):
        part._http = Recorder("http://127.0.0.1:1", None, None)
    try:
        call(client)
    except Asked as request:
        return request
    raise AssertionError("nothing was asked")


class Routes(unittest.TestCase):
    def setUp(self) -> None:
        self.document = json.loads(DOCUMENT.read_text())
        self.operations = {
            operation["operationId"]: (method.upper(), path, operation)
            for path, methods in self.document["paths"].items()
            for method, operation in methods.items()
        }

    def test_every_request_of_the_document_has_its_call(self) -> None:
        self.assertEqual(sorted(CALLS), sorted(self.operations))

    def test_every_call_asks_for_what_the_document_says(self) -> None:
        for name, call in CALLS.items():
            with self.subTest(name):
                method, path, operation = self.operations[name]
                request = asked(call)
                self.assertEqual(request.method, method)
                self.assertRegex(request.path, "^" + re.sub(r"\{.*?\}", "[^/]+", path) + "$")
                self.check_parameters(name, operation, request)
                self.check_body(operation, request)

    def check_parameters(self, name: str, operation: dict[str, Any], request: Asked) -> None:
        told = {"query": request.query, "header": request.headers}
        known = {place: {} for place in told}
        for parameter in operation.get("parameters", []):
            key, place = parameter["name"], parameter["in"]
            if place == "header":
                key = key.lower()
            if place != "path" and (name, key) not in NEEDLESS:
                known[place][key] = parameter["schema"]
                self.assertIn(key, told[place])
        self.assertEqual(set(request.query), set(known["query"]))
        for key, schema in known["query"].items():
            self.assertRegex(request.query[key], schema.get("pattern", "^"))

    def check_body(self, operation: dict[str, Any], request: Asked) -> None:
        content = operation.get("requestBody", {}).get("content")
        if content is None:
            self.assertIsNone(request.body)
        else:
            self.assertIn(request.headers["content-type"].split(";")[0], content)


if __name__ == "__main__":
    unittest.main()
