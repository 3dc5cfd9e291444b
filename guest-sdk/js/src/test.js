// The host of native tests: the same calls, answered in memory, with everything to be seen.

import { randomBytes } from "node:crypto";

import { Cache } from "./cache.js";
import { Ctx } from "./ctx.js";
import { JobError } from "./errors.js";
import { setHost } from "./host.js";
import { HttpResponse } from "./http.js";
import { Payload, bytesOf, toPayload } from "./payload.js";
import { Memory, refuse } from "./test/memory.js";

export { HttpResponse };

/** When the jobs of tests are enqueued: a fixed time, so that tests can be repeated. */
const ENQUEUED_AT = Date.UTC(2026, 0, 1);

/** How large a checkpoint may be. */
const CHECKPOINT_BYTES_MAX = 64 * 1024;

const LEVELS = ["trace", "debug", "info", "warn", "error"];

/**
 * A host for native tests of jobs. It has a clock that stands still until `advance` moves it, an
 * empty cache, no configuration and no secrets. What a test wants to be otherwise, it gives as an
 * option; what a job did, it reads afterwards. Grants and budgets are the daemon's and not checked
 * here, but what is wrong with a call by itself is.
 */
export class TestHost {
  /** All lines logged so far. */
  log = [];
  /** What was last said of the progress. */
  progress = undefined;
  /** The jobs enqueued so far: those enqueued at once, and those of attempts that succeeded. */
  enqueued = [];
  /** The requests sent so far, whatever they were answered. */
  requests = [];
  #given;
  #memory = new Memory();
  #cancelled = false;
  #checkpoint = null;
  #held = [];
  #started = 0;

  constructor(given = {}) {
    const { timeLimit = 30_000, logLevel = "trace", ...rest } = given;
    this.#given = { timeLimit, logLevel, headers: {}, config: {}, secrets: {}, ...rest };
  }

  /** Runs one attempt of a job and gives its result as a value; its failure is a JobError. */
  run(plugin, name, input) {
    const result = this.handle(plugin, name, toPayload(input));
    return result?.parse("any");
  }

  /** Runs one attempt of a job from payload to payload, as the daemon does. */
  handle(plugin, name, input = new Payload("", "")) {
    this.#held = [];
    this.#started = this.#memory.now;
    return this.#within(() => {
      try {
        const result = plugin.handler.handle(name, input.toWit());
        this.enqueued.push(...this.#held);
        return result === null ? undefined : Payload.fromWit(result);
      } catch (failure) {
        throw jobErrorOf(failure);
      }
    });
  }

  /** What the plugin says of its functions. */
  describe(plugin) {
    return JSON.parse(plugin.describe.describe());
  }

  /** Calls a function with the context of an attempt, for tests of what jobs are made of. */
  with(call) {
    return this.#within(() => call(new Ctx()));
  }

  /** The plugin's own part of the cache. */
  get cache() {
    return this.bucket("");
  }

  /** A shared part of the cache. */
  bucket(name) {
    const cache = new Cache(name);
    return new Proxy(cache, {
      get: (_, method) => (...values) => this.#within(() => cache[method](...values)),
    });
  }

  /** The checkpoint that was saved last. */
  get checkpoint() {
    return this.with((ctx) => ctx.checkpoint());
  }

  /** Moves the clock by so many milliseconds. */
  advance(milliseconds) {
    this.#memory.now += milliseconds;
  }

  /** Asks for the job to be cancelled. */
  cancel() {
    this.#cancelled = true;
  }

  #within(call) {
    const before = setHost(this.#interfaces());
    try {
      return call();
    } finally {
      setHost(before);
    }
  }

  /** The contract's interfaces, as components see them. */
  #interfaces() {
    const { config, secrets } = this.#given;
    return {
      cache: this.#memory.interface(),
      context: this.#context(),
      http: { send: (request) => this.#send(request) },
      log: {
        enabled: (level) => this.#keeps(level),
        emit: (level, message, fields) => {
          if (this.#keeps(level)) {
            this.log.push({ level, message, fields: Object.fromEntries(fields) });
          }
        },
      },
      config: {
        get: (key) => config[key] ?? null,
        all: () => Object.entries(config).sort(([a], [b]) => (a < b ? -1 : 1)),
      },
      secrets: {
        get: (name) => secrets[name] ?? refuse("access-denied", `secrets: ${JSON.stringify(name)}`),
      },
      queue: this.#queue(),
      system: {
        now: () => ENQUEUED_AT + this.#memory.now,
        monotonic: () => this.#memory.now * 1e6,
        random: (length) => new Uint8Array(randomBytes(length)),
      },
    };
  }

  #context() {
    const given = this.#given;
    const headers = Object.entries(given.headers);
    return {
      jobId: () => given.jobId ?? "00000000-0000-4000-8000-000000000001",
      queueName: () => given.queue ?? "default",
      attempt: () => given.attempt ?? 1,
      maxAttempts: () => given.maxAttempts ?? 5,
      enqueuedAt: () => ENQUEUED_AT,
      parentId: () => given.parentId ?? null,
      header: (name) =>
        headers.find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1] ?? null,
      remaining: () => Math.max(this.#started + given.timeLimit - this.#memory.now, 0),
      cancelled: () => this.#cancelled,
      progress: (done, total, note) => {
        this.progress = { done, total: total ?? undefined, note: note ?? undefined };
      },
      saveCheckpoint: (state) => {
        if (state.data.length > CHECKPOINT_BYTES_MAX) {
          refuse("too-large", CHECKPOINT_BYTES_MAX);
        }
        this.#checkpoint = state;
      },
      checkpoint: () => this.#checkpoint,
    };
  }

  #queue() {
    return {
      NewJob,
      enqueue: (jobs, commit) =>
        jobs.map(({ job }) => {
          const number = this.enqueued.length + this.#held.length + 2;
          (commit === "immediately" ? this.enqueued : this.#held).push(job);
          const id = `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
          return { tag: "accepted", val: id };
        }),
    };
  }

  #send(request) {
    this.requests.push({ ...request, headers: Object.fromEntries(request.headers) });
    const response = this.#given.responses?.[request.url];
    if (response === undefined) {
      refuse("access-denied", `no response is set for ${JSON.stringify(request.url)}`);
    }
    return response;
  }

  #keeps(level) {
    return LEVELS.indexOf(level) >= LEVELS.indexOf(this.#given.logLevel);
  }
}

/** A job to be, as the host gets it; `job` is what a test sees. */
class NewJob {
  constructor(name, input) {
    this.job = { function: name, input: Payload.fromWit(input), headers: {} };
    const set = (option) => (value) => {
      this.job[option] = value;
    };
    this.setQueue = set("queue");
    this.setPriority = set("priority");
    this.setDelay = set("delay");
    this.setMaxAttempts = set("maxAttempts");
    this.setTimeout = set("timeout");
    this.setUniqueKey = set("uniqueKey");
    this.setHeader = (header, value) => {
      this.job.headers[header] = value;
    };
  }
}

/** The contract's failure as the error that it was made of. */
function jobErrorOf({ message, code, detail, disposition }) {
  return new JobError(disposition.tag, message, {
    code: code ?? undefined,
    detail: detail === null ? undefined : new Payload(detail.contentType, bytesOf(detail.data)),
    delay: disposition.val,
  });
}
