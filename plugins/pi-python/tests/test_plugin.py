"""Digits that are known, and what is remembered of them."""

import unittest

from gristmill_guest import JobError
from gristmill_guest.testing import TestHost

from plugin import digits, prepare
from spigot import pi


class Pi(unittest.TestCase):
    def test_digits_are_those_of_pi(self) -> None:
        self.assertEqual(pi(50), "3.14159265358979323846264338327950288419716939937510")
        most = pi(1000)
        self.assertEqual(most[760:776], "1349999998372978")
        self.assertTrue(most.endswith("2164201989"))

    def test_digits_are_computed_once(self) -> None:
        host = TestHost()
        self.assertEqual(host.run(digits, 5), {"digits": "3.14159", "cached": False})
        self.assertEqual(host.run(digits, 5), {"digits": "3.14159", "cached": True})
        self.assertEqual([line.fields for line in host.log], [{"digits": "5"}])

    def test_more_digits_than_there_are_is_a_failure_for_good(self) -> None:
        with self.assertRaises(JobError) as caught:
            TestHost().run(digits, 1001)
        self.assertEqual(caught.exception.code, "digits")

    def test_each_length_gets_a_job(self) -> None:
        host = TestHost()
        self.assertEqual(len(host.run(prepare, [10, 20])), 2)
        self.assertEqual(host.enqueued[1].unique_key, "pi:20")


if __name__ == "__main__":
    unittest.main()
