// Digits that are known, and what is remembered of them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { TestHost } from "gristmill-guest/test";

import * as plugin from "../src/plugin.js";
import { pi } from "../src/spigot.js";

test("digits are those of pi", () => {
  assert.equal(pi(50), "3.14159265358979323846264338327950288419716939937510");
  assert.equal(pi(1000).slice(760, 776), "1349999998372978");
  assert.ok(pi(1000).endsWith("2164201989"));
});

test("digits are computed once", () => {
  const host = new TestHost();
  assert.deepEqual(host.run(plugin, "digits", 5), { digits: "3.14159", cached: false });
  assert.deepEqual(host.run(plugin, "digits", 5), { digits: "3.14159", cached: true });
  assert.deepEqual(host.log, [{ level: "info", message: "computing", fields: { digits: "5" } }]);
});

test("more digits than there are is a failure for good", () => {
  const failure = { disposition: "fatal", code: "digits" };
  assert.throws(() => new TestHost().run(plugin, "digits", 1001), failure);
});

test("each length gets a job", () => {
  const host = new TestHost();
  assert.equal(host.run(plugin, "prepare", [10, 20]).length, 2);
  assert.equal(host.enqueued[1].uniqueKey, "pi:20");
});
