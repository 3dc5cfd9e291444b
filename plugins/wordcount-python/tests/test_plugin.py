"""Counts that agree with those in Rust; tests/it/languages.rs compares many more in the sandbox."""

import unittest

from gristmill_guest.testing import TestHost

from plugin import count


class Counts(unittest.TestCase):
    def counts(self, text: str) -> tuple[int, int]:
        report = TestHost().run(count, text)
        return report["lines"], report["words"]

    def top(self, text: str) -> list[tuple[str, int]]:
        report = TestHost().run(count, text)
        return [(entry["word"], entry["count"]) for entry in report["top"]]

    def test_lines_and_words_are_counted_as_wc_does(self) -> None:
        self.assertEqual(self.counts(""), (0, 0))
        self.assertEqual(self.counts("one two\nthree\n"), (2, 3))
        self.assertEqual(self.counts("one\r\ntwo\r\n"), (2, 2))
        self.assertEqual(self.counts("a\u2060b \x01 c\x85d"), (0, 3))

    def test_words_are_compared_without_case_and_ornaments(self) -> None:
        self.assertEqual(self.top("Mill, mill! “MILL” (mill) mill"), [("mill", 5)])
        self.assertEqual(self.top("— | ="), [])

    def test_equal_counts_are_in_the_order_of_code_points(self) -> None:
        self.assertEqual(self.top("b a c b a d"), [("a", 2), ("b", 2), ("c", 1), ("d", 1)])


if __name__ == "__main__":
    unittest.main()
