// Lines, words and the most frequent words of a text.

/** How many words are listed at most. */
const TOP_MAX = 20;

/**
 * What ends a word, as `wc` of GNU coreutils sees it in a UTF-8 locale: white space, non-breaking
 * spaces and the word joiner among it.
 */
const SEPARATORS = /[\t-\r \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2060]+/u;

/** What can be printed makes a word; what can't neither ends nor makes one. */
const PRINTABLE = /[^\p{Cc}\u2028\u2029]/u;

/** What isn't part of a word where it stands at its end; marks are, since they belong to a letter. */
const ORNAMENTS = /^[\p{P}\p{S}\p{C}\p{Z}]+|[\p{P}\p{S}\p{C}\p{Z}]+$/gu;

export function report(text) {
  const words = text.split(SEPARATORS).filter((word) => PRINTABLE.test(word));
  return { lines: text.split("\n").length - 1, words: words.length, top: top(words) };
}

/** Words are the same if they are so in lower case and without ornaments. */
function top(words) {
  const counts = new Map();
  for (const word of words) {
    const plain = word.replace(ORNAMENTS, "").toLowerCase();
    if (plain !== "") {
      counts.set(plain, (counts.get(plain) ?? 0) + 1);
    }
  }
  return [...counts]
    .map(([word, count]) => ({ word, count }))
    .sort((a, b) => b.count - a.count || compare(a.word, b.word))
    .slice(0, TOP_MAX);
}

/** By code points, which isn't the order of JavaScript's strings: surrogates come last. */
function compare(a, b) {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    if (a[i] !== b[i]) {
      return rank(a.charCodeAt(i)) - rank(b.charCodeAt(i));
    }
  }
  return a.length - b.length;
}

function rank(unit) {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
