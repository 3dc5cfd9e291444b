// What the host does for a job.

import assert from "node:assert/strict";
import { test } from "node:test";

import { HostError, JobError, Payload, plugin } from "gristmill-guest";
import { HttpResponse, TestHost } from "gristmill-guest/test";

test("an attempt knows its job", () => {
  const given = { queue: "mail", attempt: 2, headers: { Tenant: "acme" }, config: { a: "b" } };
  new TestHost(given).with((ctx) => {
    assert.deepEqual([ctx.queue, ctx.attempt, ctx.maxAttempts], ["mail", 2, 5]);
    assert.deepEqual([ctx.header("tenant"), ctx.header("other")], ["acme", undefined]);
    assert.deepEqual([ctx.config("a"), ctx.configAll()], ["b", { a: "b" }]);
    assert.equal(ctx.enqueuedAt.getUTCFullYear(), 2026);
    assert.equal(ctx.parentId, undefined);
  });
});

test("time runs out, and a job can be cancelled", () => {
  const host = new TestHost();
  host.advance(29_000);
  host.cancel();
  host.with((ctx) => assert.deepEqual([ctx.remaining, ctx.cancelled], [1000, true]));
});

test("a checkpoint outlives its attempt", () => {
  const jobs = plugin({
    load(ctx, lines) {
      const done = ctx.checkpoint() ?? 0;
      lines.slice(done).forEach((line, at) => {
        if (line === "") {
          throw JobError.retry("not there yet");
        }
        ctx.saveCheckpoint(done + at + 1);
      });
      return done;
    },
  });
  const host = new TestHost();
  assert.throws(() => host.run(jobs, "load", ["a", ""]), { message: "not there yet" });
  assert.equal(host.checkpoint, 1);
  assert.equal(host.run(jobs, "load", ["a", "b"]), 1);
  assert.throws(() => host.with((ctx) => ctx.saveCheckpoint("x".repeat(65_537))), HostError);
});

test("lines have levels and fields", () => {
  const host = new TestHost({ logLevel: "info" });
  host.with((ctx) => {
    ctx.debug("not kept");
    ctx.warn("no answer", { status: 503, tags: ["a"] });
    assert.throws(() => ctx.log("loud", "hey"), /there is no level "loud"/);
  });
  assert.deepEqual(host.log, [
    { level: "warn", message: "no answer", fields: { status: "503", tags: '["a"]' } },
  ]);
});

test("follow-ups become real with success", () => {
  const jobs = plugin({
    publish(ctx, ready) {
      ctx.enqueueNow({ function: "tell", input: "now" });
      const options = { priority: 3, delay: 60_000, headers: { a: "b" } };
      const [verdict] = ctx.enqueue([{ function: "announce", input: { a: 1 }, ...options }]);
      assert.equal(verdict.verdict, "accepted");
      if (!ready) {
        throw JobError.fatal("not ready");
      }
    },
  });
  const host = new TestHost();
  const names = () => host.enqueued.map((job) => job.function);
  assert.throws(() => host.run(jobs, "publish", false), { message: "not ready" });
  assert.deepEqual(names(), ["tell"]);
  host.run(jobs, "publish", true);
  assert.deepEqual(names(), ["tell", "tell", "announce"]);
  const { input, priority, delay, headers } = host.enqueued[2];
  assert.deepEqual(input, Payload.json({ a: 1 }));
  assert.deepEqual([priority, delay, headers], [3, 60_000, { a: "b" }]);
  host.with((ctx) => {
    assert.throws(() => ctx.enqueue({ function: "x", prio: 1 }), /a new job has no "prio"/);
    assert.throws(() => ctx.enqueue({ function: "x", priority: -1 }), /priority: -1 is no whole/);
  });
});

test("requests are sent, and failures of servers say when to come back", () => {
  const url = "https://shop.example/";
  const responses = {
    [url]: new HttpResponse(200, '{"a": 1}'),
    [`${url}busy`]: new HttpResponse(503, "", [["Retry-After", "30"]]),
  };
  const host = new TestHost({ responses });
  host.with((ctx) => {
    assert.deepEqual(ctx.http.post(url, { body: [1, 2], timeout: 2000 }).success().json(), { a: 1 });
    const later = { disposition: "retry-after", delay: 30_000, code: "http-503" };
    assert.throws(() => ctx.http.get(`${url}busy`).success(), later);
    assert.throws(() => ctx.http.get("https://other.example/"), { code: "access-denied" });
    assert.throws(() => new HttpResponse(404).success(), { disposition: "fatal", code: "http-404" });
  });
  const [sent] = host.requests;
  assert.deepEqual([sent.method, sent.timeout], ["POST", 2000]);
  assert.deepEqual(sent.headers, { "content-type": "application/json" });
});
