"""Text in, JSON out. `wordcount` is the same plugin in Rust, and counts alike."""

import re
import unicodedata
from collections import Counter

from gristmill_guest import job, plugin

TOP_MAX = 20
"""How many words are listed at most."""

SEPARATORS = re.compile("[\t-\r \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2060]+")
"""What ends a word, as `wc` of GNU coreutils sees it in a UTF-8 locale: white space, non-breaking
spaces and the word joiner among it."""

PRINTABLE = re.compile("[^\x00-\x1f\x7f-\x9f\u2028\u2029]")
"""What can be printed makes a word; what can't neither ends nor makes one."""


@job
def count(text: str) -> dict:
    """Counts lines and words of a text, and lists its 20 most frequent words."""
    words = [word for word in SEPARATORS.split(text) if PRINTABLE.search(word)]
    return {"lines": text.count("\n"), "words": len(words), "top": top(words)}


Handler, Describe = plugin(count)


def top(words: list[str]) -> list[dict]:
    """Words are the same if they are so in lower case and without ornaments."""
    counts = Counter(plain for word in words if (plain := trimmed(word).lower()))
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"word": word, "count": count} for word, count in ordered[:TOP_MAX]]


def trimmed(word: str) -> str:
    """The word without ornaments at either end."""
    start, end = 0, len(word)
    while start < end and is_ornament(word[start]):
        start += 1
    while end > start and is_ornament(word[end - 1]):
        end -= 1
    return word[start:end]


def is_ornament(character: str) -> bool:
    """What isn't part of a word where it stands at its end; marks are: they belong to a letter."""
    return unicodedata.category(character)[0] in "PSCZ"
