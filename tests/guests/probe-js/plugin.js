// Calls all that the SDK has, for tests to see what came of it. `probe-python` gives the same answers.

import { HostError, JobError, Payload, plugin } from "gristmill-guest";

/** The answer of a call, or the code of the error that it threw. */
function answer(call) {
  try {
    return call() ?? null;
  } catch (error) {
    return error instanceof HostError ? error.code : `${error.name}: ${error.message}`;
  }
}

function ofCache(cache) {
  const bytes = Uint8Array.of(0, 255);
  cache.set("expires", { ü: [1, null] }, { ttl: 60_000 });
  const { ttl, version } = cache.entry("expires");
  const lookup = cache.getOrReserve("reserved", 0);
  return {
    got: cache.get("expires"),
    none: cache.get("none") ?? null,
    has_time: ttl > 0 && ttl <= 60_000,
    exists: [cache.exists("expires"), cache.exists("none")],
    conditions: [cache.set("expires", 1, { ifAbsent: true }), cache.set("none", 1, { ifPresent: true })],
    swapped: [
      cache.compareAndSet("expires", version, "new", { ttl: 60_000 }),
      cache.compareAndSet("expires", version, "newer"),
      cache.compareAndSet("fresh", undefined, 1),
      cache.get("expires"),
    ],
    touched: [cache.touch("expires"), cache.entry("expires").ttl ?? null, cache.touch("none", 1)],
    sums: [cache.increment("sum", 40, { ttl: 60_000 }), cache.increment("sum", -50)],
    text: [cache.set("text", "ü", { as: "text" }), cache.get("text", { as: "text" })],
    bytes: [
      cache.set("bytes", bytes, { as: "bytes" }),
      [...cache.get("bytes", { as: "bytes" })],
    ],
    many: [
      cache.setMany({ "many:1": 1, "many:2": 2 }) ?? null,
      cache.getMany(["many:1", "none", "many:2"]).map((value) => value ?? null),
      cache.deleteMany(["many:1", "none"]),
      [...cache.scan("many:")],
      cache.clear("many:"),
      cache.delete("sum"),
    ],
    reserved: [
      lookup.reservation !== undefined,
      cache.getOrReserve("reserved", 0).busy === true,
      lookup.reservation.fill("filled"),
      cache.getOrReserve("reserved", 0).value,
    ],
    released: [
      cache.getOrReserve("released", 0).reservation.release() ?? null,
      cache.getOrReserve("released", 0).reservation !== undefined,
    ],
    refused: [
      answer(() => cache.get("")),
      answer(() => cache.set("large", "x".repeat(1 << 20))),
      answer(() => cache.get("text")),
      answer(() => cache.increment("text")),
    ],
  };
}

function ofContext(ctx) {
  return {
    job: [ctx.jobId, ctx.queue, ctx.attempt, ctx.maxAttempts, ctx.parentId ?? null],
    enqueued_at: ctx.enqueuedAt.getTime(),
    header: [ctx.header("TENANT") ?? null, ctx.header("none") ?? null],
    config: [ctx.config("size") ?? null, ctx.config("none") ?? null, ctx.configAll()],
    time: [ctx.remaining > 0 && ctx.remaining <= 30_000, ctx.cancelled],
    denied: [
      answer(() => ctx.secret("key")),
      answer(() => ctx.bucket("rates").get("EUR")),
      answer(() => ctx.http.get("https://shop.example/")),
    ],
  };
}

const ENDS = {
  uncaught: () => undefined.x,
  retry: () => {
    throw JobError.retry("again", { code: "busy", detail: { a: 1 } });
  },
  later: () => {
    throw JobError.retryAfter(1500, "later");
  },
  fatal: () => {
    throw JobError.fatal("never", { detail: "text" });
  },
  denied: (ctx) => ctx.secret("key"),
};

export const { handler, describe } = plugin({
  cache: { input: "none", run: (ctx) => ofCache(ctx.cache) },
  context: { input: "none", run: ofContext },
  end: { input: "text", run: (ctx, how) => ENDS[how](ctx) },

  chance: {
    input: "none",
    run: () => [Math.random(), Array.from(crypto.getRandomValues(new Uint8Array(16))), Date.now()],
  },

  log: {
    input: "none",
    run(ctx) {
      ctx.progress(1, 2, "half");
      ctx.trace("trace");
      ctx.debug("debug");
      ctx.info("info", { number: 1 });
      ctx.warn("warn \ud800");
      ctx.error("error");
      console.log("printed");
    },
  },

  enqueue: {
    input: "none",
    run(ctx) {
      const verdicts = ctx.enqueue([
        {
          function: "end",
          input: "fatal",
          queue: "other",
          priority: 3,
          delay: 60_000,
          maxAttempts: 2,
          timeout: 1_500,
          uniqueKey: "one",
          headers: { a: "b" },
        },
        { function: "nope" },
      ]);
      return verdicts.map(({ verdict }) => verdict);
    },
  },

  checkpoint: {
    run(ctx, input) {
      const before = ctx.checkpoint();
      if (before === undefined) {
        ctx.saveCheckpoint(input);
        throw JobError.retry("saved");
      }
      return before;
    },
  },

  bytes: { input: "bytes", run: (ctx, data) => new Payload("image/png", data) },
});
