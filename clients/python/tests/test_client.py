"""The client against a daemon: GRISTMILL_SERVER names one that runs echo, wordcount and spin."""

import os
import unittest

from gristmill_client import Client, Refused, Unreachable
from gristmill_client._client import request


class Journeys(unittest.TestCase):
    def setUp(self) -> None:
        self.client = Client()

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
