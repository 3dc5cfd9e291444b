// Counts that agree with those in Rust; tests/it/languages.rs compares many more in the sandbox.

import assert from "node:assert/strict";
import { test } from "node:test";

import { TestHost } from "gristmill-guest/test";

import * as plugin from "../src/plugin.js";

const count = (text) => new TestHost().run(plugin, "count", text);

test("lines and words are counted as wc does", () => {
  const counts = (text) => {
    const { lines, words } = count(text);
    return [lines, words];
  };
  assert.deepEqual(counts(""), [0, 0]);
  assert.deepEqual(counts("one two\nthree\n"), [2, 3]);
  assert.deepEqual(counts("one\r\ntwo\r\n"), [2, 2]);
  assert.deepEqual(counts("a\u2060b \u0001 c\u0085d"), [0, 3]);
});

test("words are compared without case and ornaments", () => {
  assert.deepEqual(count("Mill, mill! “MILL” (mill) mill").top, [{ word: "mill", count: 5 }]);
  assert.deepEqual(count("— | =").top, []);
});

test("equal counts are in the order of code points", () => {
  const words = count("\u{1d49c} \uff21").top.map(({ word }) => word);
  assert.deepEqual(words, ["\uff41", "\u{1d49c}"]);
});
