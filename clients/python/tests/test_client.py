"""The client against a daemon: GRISTMILL_SERVER names one that runs echo, wordcount and spin, and
GRISTMILL_COMPONENT a file that it can be given as one more plugin."""

import os
import pathlib
import unittest

from gristmill_client import Client, Event, Refused, Unreachable
from gristmill_client._client import request


class Journeys(unittest.TestCase):
    def setUp(self) -> None:
        self.client = Client()

    def heard(self, **wanted) -> Event:
        """The first event of these that is still kept, or the next one."""
        events = self.client.events(after="an-id-of-another-daemon", **wanted)
        self.assertEqual(next(events).kind, "missed")
        return next(events)

    def test_a_job_is_enqueued_waited_for_and_its_result_read(self) -> None:
        job = self.client.enqueue("wordcount", "to be or not to be")
        done = self.client.wait(job.id, timeout=60)
        self.assertEqual((done.state, done.function), ("completed", "count"))
        self.assertEqual(done.result["words"], 6)
        body, media_type = self.client.result(job.id)
        self.assertTrue(body.startswith(b'{"lines":0,"words":6,'), body)
        self.assertEqual(media_type, "application/json")
        self.assertEqual(self.client.logs(job.id), [])

    def test_bytes_come_back_as_bytes(self) -> None:
        job = self.client.enqueue("echo", b"\x00\xff")
        self.assertEqual(self.client.wait(job.id, timeout=60).result, b"\x00\xff")

    def test_a_running_job_is_cancelled_from_another_process(self) -> None:
        job = self.client.enqueue("spin", timeout_ms=600_000)
        self.assertIsNone(self.client.result(job.id))
        self.client.cancel(job.id)
        self.assertEqual(self.client.wait(job.id, timeout=60).state, "cancelled")
        again = self.client.retry(job.id)
        self.assertIn(again.state, ("queued", "running"))
        self.client.cancel(job.id)
        self.client.wait(job.id, timeout=60)
        self.client.remove(job.id)
        self.assertIsNone(self.client.get(job.id))

    def test_a_wait_ends_with_its_patience(self) -> None:
        job = self.client.enqueue("echo", delay_ms=3_600_000)
        self.assertEqual(self.client.wait(job.id, timeout=0.05).state, "scheduled")
        self.client.cancel(job.id)

    def test_many_jobs_have_a_verdict_each(self) -> None:
        jobs = [request("echo", 1), request("nope"), {"plugin": "echo", "inptu": 1}]
        verdicts = self.client.enqueue_many(jobs)
        self.assertEqual([v.verdict for v in verdicts], ["created", "rejected", "rejected"])
        self.assertIn("inptu", verdicts[2].message)
        self.assertEqual(self.client.enqueue_many(jobs[:1])[0].verdict, "duplicate")

    def test_jobs_are_listed_page_by_page(self) -> None:
        ids = {self.client.enqueue("echo", n, queue="listed").id for n in range(3)}
        found, cursor = set(), None
        while True:
            page = self.client.list(queue="listed", limit=2, cursor=cursor)
            found |= {job.id for job in page.jobs}
            cursor = page.cursor
            if cursor is None:
                break
        self.assertEqual(found, ids)

    def test_a_queues_failed_jobs_are_run_again_and_forgotten(self) -> None:
        queues = self.client.queues
        self.assertTrue(queues.pause("halted")["paused"])
        self.assertFalse(queues.resume("halted")["paused"])
        self.assertIn("halted", [queue["name"] for queue in queues.list()])
        job = self.client.enqueue("spin", timeout_ms=20, max_attempts=1, queue="default")
        self.assertEqual(self.client.wait(job.id, timeout=60).state, "failed")
        self.assertEqual(queues.requeue_failed("default", plugin="echo")["requeued"], 0)
        self.assertEqual(queues.requeue_failed("default", plugin="spin")["requeued"], 1)
        self.assertEqual(self.client.wait(job.id, timeout=60).state, "failed")
        self.assertEqual(queues.get("default")["failed"], 1)
        self.assertEqual(queues.clear_failed("default"), 1)

    def test_a_plugin_is_put_told_of_and_taken_out(self) -> None:
        plugins = self.client.plugins
        with self.assertRaises(Refused) as caught:
            plugins.put("brought", b"no component")
        self.assertEqual(caught.exception.kind, "faulty-plugin")
        self.assertTrue(caught.exception.problem["faults"])
        component = pathlib.Path(os.environ["GRISTMILL_COMPONENT"]).read_bytes()
        put = plugins.put("brought", component, 'version = "1.2.3"\n')
        self.assertEqual((put["name"], put["version"]), ("brought", "1.2.3"))
        self.assertEqual(plugins.get("brought")["digest"], put["digest"])
        self.assertEqual(plugins.versions("brought")[0]["digest"], put["digest"])
        self.assertEqual(plugins.schema("brought")["digest"], put["digest"])
        self.assertIn("brought", [plugin["name"] for plugin in plugins.list()["plugins"]])
        self.assertTrue(plugins.remove("brought"))
        self.assertFalse(plugins.remove("brought"))
        self.assertIsNone(plugins.get("brought"))

    def test_what_jobs_remember_is_set_read_and_removed(self) -> None:
        cache, space = self.client.cache, "bucket:shelf"
        cache.set(space, "a/1", b"\x00\xff", ttl=3_600)
        cache.set(space, "a/2", b"kept as long as there is room")
        self.assertEqual(cache.get(space, "a/1"), b"\x00\xff")
        self.assertTrue(cache.delete(space, "a/1"))
        self.assertFalse(cache.delete(space, "a/1"))
        self.assertIsNone(cache.get(space, "a/1"))
        self.assertEqual(cache.clear(space, "a/"), 1)
        self.assertIn("backend", cache.stats())

    def test_a_worker_is_told_to_take_no_more_jobs_and_to_go_on(self) -> None:
        workers = self.client.workers
        running = self.client.enqueue("spin", timeout_ms=600_000)
        self.heard(job=running.id, kinds=["attempt_started"])
        [worker] = workers.list()["workers"]
        self.assertIn(running.id, [job["job"] for job in worker["running"]])
        self.assertEqual(workers.quiet(worker["id"])["id"], worker["id"])
        workers.resume(worker["id"])
        with self.assertRaises(Refused) as caught:
            workers.stop("6f9619ff-8b86-4011-b42d-00cf4fc964ff")
        self.assertEqual(caught.exception.kind, "unknown-worker")
        self.client.cancel(running.id)
        self.assertEqual(self.client.wait(running.id, timeout=60).state, "cancelled")

    def test_events_are_heard_and_gone_on_with(self) -> None:
        job = self.client.enqueue("echo", 1)
        self.client.wait(job.id, timeout=60)
        first = self.heard(job=job.id)
        self.assertEqual((first.kind, first.data["attempt"]), ("attempt_started", 1))
        second = next(self.client.events(job=job.id, kinds=["settled"], after=first.id))
        self.assertEqual(second.data["state"], "completed")

    def test_the_daemon_tells_how_it_is(self) -> None:
        self.assertEqual(self.client.health()["status"], "ok")
        self.assertEqual(self.client.ready()["status"], "ready")
        self.assertIn("gristmill_", self.client.metrics())
        self.assertEqual(self.client.description()["openapi"][:2], "3.")

    def test_a_refusal_says_what_is_wrong(self) -> None:
        with self.assertRaises(Refused) as caught:
            self.client.enqueue("nope")
        self.assertEqual((caught.exception.kind, caught.exception.status), ("unknown-plugin", 422))
        self.assertEqual(caught.exception.field, "plugin")
        self.assertIn("there are", str(caught.exception))

    def test_a_wrong_token_is_refused(self) -> None:
        with self.assertRaises(Refused) as caught:
            Client(token="a-token-that-nobody-knows").info()
        self.assertEqual((caught.exception.kind, caught.exception.status), ("unauthorized", 401))

    def test_a_server_that_is_not_there_is_unreachable(self) -> None:
        with self.assertRaises(Unreachable):
            Client("http://127.0.0.1:1").info()
        with self.assertRaises(ValueError):
            Client("nonsense")


if __name__ == "__main__":
    if "GRISTMILL_SERVER" not in os.environ:
        raise SystemExit("GRISTMILL_SERVER names no daemon")
    unittest.main()
