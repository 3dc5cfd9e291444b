"""What a job takes and gives, and what becomes of its failures."""

import unittest
from dataclasses import dataclass, field
from typing import Any

from gristmill_guest import Ctx, HostError, JobError, Payload, job, plugin
from gristmill_guest._errors import Disposition
from gristmill_guest.testing import TestHost


@dataclass
class Size:
    width: int
    height: int
    tags: list[str] = field(default_factory=list)


@job
def greet(ctx: Ctx, name: str) -> str:
    """Greets
    somebody.

    At length.
    """
    ctx.info("greeting", name=name)
    return f"Hello, {name}!"


@job(name="img.area", output={"type": "integer"})
def area(size: Size) -> int:
    return size.width * size.height


@job(accepts=["image/*"], returns="image/png")
def invert(data: bytes) -> bytes:
    return bytes(255 - byte for byte in data)


@job
def nothing(ctx: Ctx) -> None:
    ctx.progress(1, 2, "half")


@job
def anything(ctx, input=None):
    return {"got": input}


@job
def echo(input: Payload) -> Payload:
    return input


@job
def choose(input: int | None) -> Any:
    return input


class Inputs(unittest.TestCase):
    def check(self, job: Any, input: Payload | None, expected: Any) -> None:
        result = TestHost().handle(job, input)
        self.assertEqual(result, expected)

    def refused(self, job: Any, input: Payload | None, message: str) -> None:
        with self.assertRaises(JobError) as caught:
            TestHost().handle(job, input)
        self.assertEqual(caught.exception.code, "invalid-input")
        self.assertEqual(caught.exception.disposition, Disposition.FATAL)
        self.assertIn(message, str(caught.exception))

    def test_text_is_text_or_a_string_of_json(self) -> None:
        self.check(greet, Payload.text("Ada"), Payload.text("Hello, Ada!"))
        self.check(greet, Payload.json("Ada"), Payload.text("Hello, Ada!"))
        self.refused(greet, Payload("text/plain", b"\xff"), "the text is no UTF-8")
        self.refused(greet, Payload.json(1), "expected text or a JSON string")
        self.refused(greet, None, "and there is none")

    def test_a_dataclass_is_checked_and_made(self) -> None:
        self.check(area, Payload.json({"width": 2, "height": 3, "more": 1}), Payload.json(6))
        self.refused(area, Payload.json({"width": 2}), "there is no 'height'")
        self.refused(area, Payload.json({"width": "2", "height": 3}), "width: expected a whole")
        tags = {"width": 1, "height": 1, "tags": [1]}
        self.refused(area, Payload.json(tags), "tags[0]: expected a string, not the number 1")
        self.refused(area, Payload("application/json", b"{"), "Expecting")
        self.refused(area, Payload.bytes(b"{}"), 'not 2 bytes of "application/octet-stream"')

    def test_bytes_are_bytes_of_any_type(self) -> None:
        self.check(invert, Payload("image/png", b"\x00\xff"), Payload.bytes(b"\xff\x00"))

    def test_no_input_is_an_input_too(self) -> None:
        host = TestHost()
        self.assertIsNone(host.run(nothing))
        self.assertEqual(host.progress.note, "half")
        self.check(nothing, Payload("application/json", b"null"), None)
        self.refused(nothing, Payload.text("x"), "expected no input")

    def test_what_may_be_left_out_may_be_there(self) -> None:
        self.check(anything, None, Payload.json({"got": None}))
        self.check(anything, Payload.json([1]), Payload.json({"got": [1]}))
        self.check(choose, None, None)
        self.check(choose, Payload.json(3), Payload.json(3))
        self.refused(choose, Payload.text("three"), "expected a whole number, not a string")

    def test_a_payload_is_as_it_came(self) -> None:
        picture = Payload("image/png", b"\x89PNG")
        self.check(echo, picture, picture)

    def test_a_value_that_json_cannot_hold_is_fatal(self) -> None:
        for value in ({1, 2}, float("nan"), {(1, 2): 3}):
            with self.assertRaises(JobError) as caught:
                TestHost().run(job(lambda: value))
            self.assertEqual(caught.exception.code, "unserializable")


class Descriptions(unittest.TestCase):
    def test_a_plugin_describes_what_its_jobs_say(self) -> None:
        described = TestHost().describe(greet, area, invert, nothing, anything, echo, choose)
        text, json = "text/plain", "application/json"
        self.assertEqual(
            described,
            [
                {
                    "name": "greet",
                    "summary": "Greets somebody.",
                    "accepts": ["text/*", json],
                    "returns": text,
                },
                {
                    "name": "img.area",
                    "accepts": [json, "text/*"],
                    "returns": json,
                    "output": {"type": "integer"},
                },
                {"name": "invert", "accepts": ["image/*"], "returns": "image/png"},
                {"name": "nothing", "accepts": []},
                {"name": "anything"},
                {"name": "echo"},
                {"name": "choose"},
            ],
        )

    def test_a_plugin_is_of_jobs_with_names_of_their_own(self) -> None:
        with self.assertRaisesRegex(TypeError, "the name 'greet'"):
            plugin(greet, greet)
        with self.assertRaisesRegex(TypeError, "mark the function with @job"):
            plugin(print)  # type: ignore[arg-type]
        with self.assertRaisesRegex(TypeError, "takes a Ctx and one input at most"):
            job(lambda ctx, a, b: None)


class Failures(unittest.TestCase):
    def failure(self, job: Any, **given: Any) -> JobError:
        with self.assertRaises(JobError) as caught:
            TestHost(**given).run(job)
        return caught.exception

    def test_what_nobody_expected_is_tried_again_with_its_traceback(self) -> None:
        @job
        def broken() -> None:
            {}["key"]  # noqa: B018

        failure = self.failure(broken)
        self.assertEqual(failure.disposition, Disposition.RETRY)
        self.assertEqual((failure.code, failure.message), ("KeyError", "KeyError: 'key'"))
        self.assertIn("in broken", failure.detail)

    def test_a_failure_says_what_to_do(self) -> None:
        @job
        def busy() -> None:
            raise JobError.retry_after(1.5, "too many", code="http-429", detail={"left": 0})

        failure = self.failure(busy)
        self.assertEqual(failure.disposition, Disposition.RETRY_AFTER)
        self.assertEqual((failure.delay, failure.code), (1.5, "http-429"))

    def test_causes_are_told_and_an_answer_of_the_host_decides(self) -> None:
        @job
        def denied(ctx: Ctx) -> None:
            try:
                ctx.secret("key")
            except HostError as error:
                raise Exception("no key") from error

        failure = self.failure(denied)
        self.assertEqual(failure.message, "no key: access denied: secrets: 'key'")
        self.assertEqual(failure.disposition, Disposition.FATAL)
        self.assertEqual(failure.code, "access-denied")

    def test_leaving_the_program_is_a_failure_and_no_success(self) -> None:
        @job
        def leave() -> None:
            raise SystemExit(0)

        self.assertEqual(self.failure(leave).code, "SystemExit")

    def test_an_async_job_is_told_of(self) -> None:
        @job
        async def wait() -> None:
            pass

        self.assertIn("jobs are plain functions", str(self.failure(wait)))


if __name__ == "__main__":
    unittest.main()
