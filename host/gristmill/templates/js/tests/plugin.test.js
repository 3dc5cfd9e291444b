// The job, run natively; `cases/` has what it is held to in the sandbox.

import assert from "node:assert/strict";
import { test } from "node:test";

import { TestHost } from "gristmill-guest/test";

import * as plugin from "../src/plugin.js";

test("lines and words are counted", () => {
  const host = new TestHost();
  assert.deepEqual(host.run(plugin, "count", "to be\nor not"), { lines: 2, words: 4 });
  assert.equal(host.log[0].message, "counted 4 words");
});
