// What jobs remember, and how text becomes bytes.

import assert from "node:assert/strict";
import { test } from "node:test";

import { HostError } from "gristmill-guest";
import { TestHost } from "gristmill-guest/test";

import { addGlobals } from "../src/globals.js";
import { decode, decodeLossy, encode } from "../src/utf8.js";

test("what is stored is read as the same", () => {
  const { cache } = new TestHost();
  const values = [["text", "json"], [{ a: [1] }, "json"], ["ü", "text"], [Uint8Array.of(255), "bytes"]];
  for (const [value, as] of values) {
    assert.equal(cache.set("key", value, { as }), true);
    assert.deepEqual(cache.get("key", { as }), value);
  }
  assert.throws(() => cache.get("key"), { name: "HostError", message: /is no json/ });
  assert.throws(() => cache.set("key", Uint8Array.of(1)), /say { as: "bytes" }/);
  assert.throws(() => cache.set("key", undefined), HostError);
  assert.throws(() => cache.get("key", { as: "yaml" }), /none of "json"/);
  assert.throws(() => cache.set("", 1), { code: "invalid" });
  assert.equal(cache.get("none"), undefined);
});

test("entries expire and conditions hold", () => {
  const host = new TestHost();
  const { cache } = host;
  assert.equal(cache.set("lock", 1, { ifPresent: true }), false);
  assert.equal(cache.set("lock", 1, { ttl: 10, ifAbsent: true }), true);
  assert.equal(cache.set("lock", 2, { ifAbsent: true }), false);
  assert.equal(cache.entry("lock").ttl, 10);
  assert.equal(cache.touch("lock", 20), true);
  host.advance(20);
  assert.equal(cache.exists("lock"), false);
  assert.throws(() => cache.set("lock", 1, { ttl: -1 }), { code: "invalid" });
});

test("only the version that was seen is replaced", () => {
  const { cache } = new TestHost();
  assert.equal(cache.compareAndSet("names", undefined, ["ada"]), true);
  const { version } = cache.entry("names");
  assert.equal(cache.compareAndSet("names", version, ["ada", "alan"]), true);
  assert.equal(cache.compareAndSet("names", version, ["grace"]), false);
});

test("many at a time", () => {
  const { cache } = new TestHost();
  cache.setMany(Array.from({ length: 600 }, (_, at) => [`page:${at}`, at]));
  assert.deepEqual(cache.getMany(["page:1", "none", "page:599"]), [1, undefined, 599]);
  assert.equal(cache.deleteMany(["page:0", "none"]), 1);
  assert.equal(cache.clear("page:5"), 111);
  assert.deepEqual([cache.increment("n", 5), cache.increment("n", -2)], [5, 3]);
});

test("keys are listed page by page", () => {
  const host = new TestHost();
  host.cache.setMany(new Map(Array.from({ length: 600 }, (_, at) => [`page:${at}`, at])));
  host.with((ctx) => assert.equal(new Set(ctx.cache.scan("page:")).size, 600));
});

test("a value is computed once", () => {
  const { cache } = new TestHost();
  let computed = 0;
  const ask = () => cache.remember("key", 60_000, () => (computed += 1));
  assert.deepEqual([ask(), ask(), ask()], [1, 1, 1]);
});

test("a computation that fails leaves the key to the next", () => {
  const { cache } = new TestHost();
  const fail = () => {
    throw new RangeError("no");
  };
  assert.throws(() => cache.remember("key", 60_000, fail), RangeError);
  assert.equal(cache.remember("key", 60_000, () => 7), 7);
});

test("another who computes for too long is not waited for", () => {
  const host = new TestHost();
  const { reservation } = host.cache.getOrReserve("key", 0);
  assert.equal(host.cache.remember("key", 60_000, () => 7), 7);
  assert.equal(host.with((ctx) => ctx.remaining), 15_000);
  assert.equal(host.log.at(-1).message, "another computes for too long");
  assert.equal(host.with(() => reservation.fill(8)), false);
  assert.throws(() => reservation.fill(9), /has ended/);
});

test("a value of another kind is replaced", () => {
  const host = new TestHost();
  host.cache.set("key", "no JSON", { as: "text" });
  assert.equal(host.cache.remember("key", 60_000, () => 7), 7);
  assert.equal(host.cache.get("key"), 7);
  assert.equal(host.log.at(-1).message, "a value of another kind is replaced");
});

test("buckets are apart", () => {
  const host = new TestHost();
  host.bucket("rates").set("EUR", 1.08);
  assert.equal(host.cache.get("EUR"), undefined);
});

test("text becomes bytes and text again", () => {
  for (const text of ["", "ascii", "aé漢😀\u0000\ufeff", "x".repeat(20_000) + "é"]) {
    assert.deepEqual(encode(text), new Uint8Array(Buffer.from(text)));
    assert.equal(decode(encode(text)), text);
  }
  assert.deepEqual(encode("\ud800"), encode("\ufffd"));
  for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80]]) {
    assert.throws(() => decode(Uint8Array.from(bytes)), TypeError);
  }
  assert.equal(decodeLossy(Uint8Array.of(0x61, 0xff, 0xc3, 0xa9)), "a\ufffdé");
});

test("the engine gets what it lacks, and keeps what it has", () => {
  const own = { TextEncoder: "its own", Math: {} };
  addGlobals(own);
  assert.equal(own.TextEncoder, "its own");
  assert.equal(new own.TextDecoder().decode(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), "a");
  const host = new TestHost();
  host.with(() => {
    own.console.log("a", { b: 1 });
    const drawn = new Set(Array.from({ length: 100 }, own.Math.random));
    assert.ok(drawn.size === 100 && [...drawn].every((number) => number >= 0 && number < 1));
    assert.match(own.crypto.randomUUID(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
  assert.deepEqual(host.log, [{ level: "info", message: 'a {"b":1}', fields: {} }]);
});
