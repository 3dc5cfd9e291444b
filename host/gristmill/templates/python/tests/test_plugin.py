"""The job, run natively; `cases/` has what it is held to in the sandbox."""

import unittest

from gristmill_guest.testing import TestHost
from plugin import count


class Counts(unittest.TestCase):
    def test_lines_and_words_are_counted(self) -> None:
        host = TestHost()
        self.assertEqual(host.run(count, "to be\nor not"), {"lines": 2, "words": 4})
        self.assertEqual(host.log[0].message, "counted 4 words")
