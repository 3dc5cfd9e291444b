// What a job takes and gives, and what becomes of its failures.

import assert from "node:assert/strict";
import { test } from "node:test";

import { HostError, JobError, Payload, plugin } from "gristmill-guest";
import { TestHost } from "gristmill-guest/test";

const schema = { type: "object", properties: { width: { type: "integer" } } };

const jobs = plugin({
  greet: {
    summary: "Greets somebody.",
    input: "text",
    returns: "text/plain",
    run(ctx, name) {
      ctx.info("greeting", { name });
      return `Hello, ${name}!`;
    },
  },
  area: { input: schema, output: { type: "integer" }, run: (ctx, size) => size.width * size.height },
  invert: { input: "bytes", accepts: ["image/*"], run: (ctx, data) => data.map((byte) => 255 - byte) },
  nothing: { input: "none", run: (ctx) => ctx.progress(1, 2, "half") },
  echo: { input: "payload", run: (ctx, input) => input },
  anything: (ctx, input) => ({ got: input === undefined ? "nothing" : input }),
});

function check(name, input, expected) {
  assert.deepEqual(new TestHost().handle(jobs, name, input), expected);
}

function refused(name, input, message) {
  const failure = { code: "invalid-input", disposition: "fatal", message };
  assert.throws(() => new TestHost().handle(jobs, name, input), failure);
}

test("text is text or a string of JSON", () => {
  check("greet", Payload.text("Ada"), Payload.text("Hello, Ada!"));
  check("greet", Payload.json("Ada"), Payload.text("Hello, Ada!"));
  refused("greet", new Payload("text/plain", Uint8Array.of(0xff)), /the bytes are no UTF-8/);
  refused("greet", Payload.json(1), /expected text or a JSON string/);
  refused("greet", undefined, /and there is none/);
});

test("JSON is its value, and text a string", () => {
  check("area", Payload.json({ width: 2, height: 3 }), Payload.json(6));
  refused("area", new Payload("application/json", "{"), /JSON/);
  refused("area", Payload.bytes(Uint8Array.of(1)), /not 1 bytes of "application\/octet-stream"/);
});

test("bytes are bytes of any type", () => {
  check("invert", new Payload("image/png", Uint8Array.of(0, 255)), Payload.bytes(Uint8Array.of(255, 0)));
});

test("no input is an input too", () => {
  const host = new TestHost();
  assert.equal(host.run(jobs, "nothing"), undefined);
  assert.deepEqual(host.progress, { done: 1, total: 2, note: "half" });
  check("nothing", new Payload("application/json", "null"), undefined);
  refused("nothing", Payload.text("x"), /expected no input/);
});

test("a job that says nothing takes what comes", () => {
  check("anything", undefined, Payload.json({ got: "nothing" }));
  check("anything", Payload.text("x"), Payload.json({ got: "x" }));
  check("anything", Payload.json(null), Payload.json({ got: null }));
});

test("a payload is as it came", () => {
  const picture = new Payload("image/png", Uint8Array.of(0x89, 0xff));
  check("echo", picture, picture);
});

test("a plugin describes what its jobs say", () => {
  assert.deepEqual(new TestHost().describe(jobs).functions, [
    {
      name: "greet",
      summary: "Greets somebody.",
      accepts: ["text/*", "application/json"],
      returns: "text/plain",
    },
    {
      name: "area",
      accepts: ["application/json", "text/*"],
      returns: "application/json",
      input: schema,
      output: { type: "integer" },
    },
    { name: "invert", accepts: ["image/*"] },
    { name: "nothing", accepts: [] },
    { name: "echo" },
    { name: "anything" },
  ]);
});

test("what is said wrongly of a job stops the build", () => {
  assert.throws(() => plugin({ a: { inptu: "text", run() {} } }), /has "inptu"/);
  assert.throws(() => plugin({ a: { input: "txt", run() {} } }), /takes "txt"/);
  assert.throws(() => plugin({ a: {} }), /has no function run/);
});

function failure(run, options) {
  try {
    new TestHost(options).run(plugin({ job: run }), "job");
  } catch (error) {
    assert.ok(error instanceof JobError, String(error));
    return error;
  }
  return assert.fail("the job succeeded");
}

test("what nobody expected is tried again with its stack", () => {
  const found = failure(() => undefined.x);
  assert.deepEqual([found.disposition, found.code], ["retry", "TypeError"]);
  assert.match(found.detail.parse(), /jobs\.test\.js/);
  const thrown = failure(() => {
    throw "a string";
  });
  assert.deepEqual([thrown.code, thrown.message], ["thrown", "thrown: a string"]);
});

test("a failure says what to do", () => {
  const found = failure(() => {
    throw JobError.retryAfter(1500, "too many", { code: "http-429", detail: { left: 0 } });
  });
  assert.deepEqual([found.disposition, found.delay], ["retry-after", 1500]);
  assert.deepEqual(found.detail, Payload.json({ left: 0 }));
});

test("causes are told, and an answer of the host decides", () => {
  const found = failure((ctx) => {
    try {
      ctx.secret("key");
    } catch (cause) {
      assert.ok(cause instanceof HostError);
      throw new Error("no key", { cause });
    }
  });
  assert.equal(found.message, 'no key: access denied: secrets: "key"');
  assert.deepEqual([found.disposition, found.code], ["fatal", "access-denied"]);
});

test("a value that JSON can't hold is fatal", () => {
  const circle = {};
  circle.circle = circle;
  assert.equal(failure(() => circle).code, "unserializable");
  assert.equal(failure(() => 1n).code, "unserializable");
  assert.equal(failure(() => Symbol("x")).code, "unserializable");
});

test("an async job and an unknown function are told of", () => {
  assert.match(failure(async () => 1).message, /jobs are plain functions/);
  const unknown = { code: "unknown-function", message: /no function "shout"; this plugin has "greet"/ };
  assert.throws(() => new TestHost().run(jobs, "shout"), unknown);
});
