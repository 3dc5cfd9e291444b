"""What the host does for a job."""

import unittest
from datetime import timedelta
from typing import Any

from gristmill_guest import Ctx, HostError, JobError, NewJob, job
from gristmill_guest.testing import HttpResponse, TestHost


class Context(unittest.TestCase):
    def test_an_attempt_knows_its_job(self) -> None:
        ctx = TestHost(queue="mail", attempt=2, headers={"Tenant": "acme"}, config={"a": "b"}).ctx
        self.assertEqual((ctx.queue, ctx.attempt, ctx.max_attempts), ("mail", 2, 5))
        self.assertEqual((ctx.header("tenant"), ctx.header("other")), ("acme", None))
        self.assertEqual((ctx.config("a"), ctx.config_all()), ("b", {"a": "b"}))
        self.assertEqual(ctx.enqueued_at.year, 2026)

    def test_time_runs_out_and_a_job_can_be_cancelled(self) -> None:
        host = TestHost(time_limit=timedelta(seconds=30))
        host.advance(29)
        self.assertEqual(host.ctx.remaining, 1)
        self.assertFalse(host.ctx.cancelled)
        host.cancel()
        self.assertTrue(host.ctx.cancelled)

    def test_a_checkpoint_outlives_its_attempt(self) -> None:
        @job
        def load(ctx: Ctx, lines: list[str]) -> int:
            done = ctx.checkpoint(int) or 0
            for at, line in enumerate(lines[done:], done):
                if not line:
                    raise JobError.retry("not there yet")
                ctx.save_checkpoint(at + 1)
            return done

        host = TestHost()
        with self.assertRaises(JobError):
            host.run(load, ["a", ""])
        self.assertEqual(host.checkpoint(int), 1)
        self.assertEqual(host.run(load, ["a", "b"]), 1)
        with self.assertRaises(HostError):
            host.ctx.save_checkpoint("x" * 65_537)

    def test_lines_have_levels_and_fields(self) -> None:
        host = TestHost(log_level="info")
        host.ctx.debug("not kept")
        host.ctx.warn("no answer", status=503)
        (line,) = host.log
        self.assertEqual((line.level, line.fields), ("warn", {"status": "503"}))
        with self.assertRaises(ValueError):
            host.ctx.log("loud", "hey")

    def test_follow_ups_become_real_with_success(self) -> None:
        @job
        def publish(ctx: Ctx, ready: bool) -> None:
            ctx.enqueue_now(NewJob("tell", "now"))
            (verdict,) = ctx.enqueue([NewJob("announce", {"a": 1}, priority=3, delay=60)])
            assert verdict.accepted
            if not ready:
                raise JobError.fatal("not ready")

        host = TestHost()
        with self.assertRaises(JobError):
            host.run(publish, False)
        self.assertEqual([job.function for job in host.enqueued], ["tell"])
        host.run(publish, True)
        self.assertEqual([job.function for job in host.enqueued], ["tell", "tell", "announce"])

    def test_requests_are_sent_and_failures_of_servers_say_when_to_come_back(self) -> None:
        url = "https://shop.example/"
        busy = HttpResponse(503, b"", [("Retry-After", "30")])
        host = TestHost(responses={url: HttpResponse(200, b'{"a": 1}'), url + "busy": busy})
        response = host.ctx.http.post(url, body=[1, 2], timeout=2).success()
        self.assertEqual(response.json(dict[str, int]), {"a": 1})
        (sent,) = host.requests
        self.assertEqual((sent.method, sent.body, sent.timeout), ("POST", b"[1,2]", 2000))
        self.assertEqual(sent.headers, {"content-type": "application/json"})
        with self.assertRaises(JobError) as caught:
            host.ctx.http.get(url + "busy").success()
        self.assertEqual((caught.exception.delay, caught.exception.code), (30, "http-503"))
        with self.assertRaises(HostError):
            host.ctx.http.get("https://other.example/")


class Caching(unittest.TestCase):
    def test_what_is_stored_is_read_as_the_same(self) -> None:
        cache = TestHost().cache
        for value, kind in [("text", Any), ({"a": [1]}, Any), ("ü", str), (b"\xff", bytes)]:
            self.assertTrue(cache.set("key", value, kind=kind))
            self.assertEqual(cache.get("key", kind), value)
        with self.assertRaises(HostError):
            cache.get("key", int)
        with self.assertRaises(HostError):
            cache.set("key", object())
        with self.assertRaises(HostError):
            cache.set("", 1)

    def test_entries_expire_and_conditions_hold(self) -> None:
        host = TestHost()
        cache = host.cache
        self.assertFalse(cache.set("lock", 1, 10, if_present=True))
        self.assertTrue(cache.set("lock", 1, timedelta(seconds=10), if_absent=True))
        self.assertFalse(cache.set("lock", 2, if_absent=True))
        self.assertEqual(cache.entry("lock").ttl, 10)
        self.assertTrue(cache.touch("lock", 20))
        host.advance(20)
        self.assertFalse(cache.exists("lock"))
        with self.assertRaises(HostError):
            cache.set("lock", 1, -1)

    def test_only_the_version_that_was_seen_is_replaced(self) -> None:
        cache = TestHost().cache
        self.assertTrue(cache.compare_and_set("names", None, ["ada"]))
        seen = cache.entry("names").version
        self.assertTrue(cache.compare_and_set("names", seen, ["ada", "alan"]))
        self.assertFalse(cache.compare_and_set("names", seen, ["grace"]))

    def test_many_at_a_time(self) -> None:
        cache = TestHost().cache
        cache.set_many({f"page:{number}": number for number in range(600)})
        self.assertEqual(cache.get_many(["page:1", "none", "page:599"]), [1, None, 599])
        self.assertEqual(len(set(cache.scan("page:"))), 600)
        self.assertEqual(cache.delete_many(["page:0", "none"]), 1)
        self.assertEqual(cache.clear("page:5"), 111)
        self.assertEqual((cache.increment("n", 5), cache.increment("n", -2)), (5, 3))

    def test_a_value_is_computed_once(self) -> None:
        cache = TestHost().cache
        computed: list[int] = []

        def compute() -> int:
            computed.append(1)
            return len(computed)

        self.assertEqual([cache.remember("key", 60, compute) for _ in range(3)], [1, 1, 1])

    def test_a_computation_that_fails_leaves_the_key_to_the_next(self) -> None:
        cache = TestHost().cache
        with self.assertRaises(ZeroDivisionError):
            cache.remember("key", 60, lambda: 1 // 0)
        self.assertEqual(cache.remember("key", 60, lambda: 7), 7)

    def test_another_who_computes_for_too_long_is_not_waited_for(self) -> None:
        host = TestHost()
        _, _, held = host.cache.get_or_reserve("key", 0)
        self.assertEqual(host.cache.remember("key", 60, lambda: 7), 7)
        self.assertEqual(host.ctx.remaining, 15)
        self.assertEqual(host.log[-1].message, "another computes for too long")
        self.assertFalse(held.fill(8))
        with self.assertRaises(HostError):
            held.fill(9)

    def test_a_value_of_another_kind_is_replaced(self) -> None:
        host = TestHost()
        host.cache.set("key", "text", kind=str)
        self.assertEqual(host.cache.remember("key", 60, lambda: 7, kind=int), 7)
        self.assertEqual(host.cache.get("key", int), 7)

    def test_buckets_are_apart(self) -> None:
        host = TestHost()
        host.bucket("rates").set("EUR", 1.08)
        self.assertIsNone(host.cache.get("EUR"))


if __name__ == "__main__":
    unittest.main()
