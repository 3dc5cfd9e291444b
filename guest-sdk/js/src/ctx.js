// The running attempt.

import { Cache } from "./cache.js";
import { JobError } from "./errors.js";
import { ask, host, milliseconds, textOf, whole } from "./host.js";
import { http } from "./http.js";
import { Payload, toPayload } from "./payload.js";

/** Lines of these levels are usually kept, and sent without asking first: a question is a call too. */
const USUALLY_KEPT = ["info", "warn", "error"];

/** What is known of the attempt's job, and what the host does for it. Times are milliseconds. */
export class Ctx {
  /** The job's id, a UUID in its canonical text form. */
  get jobId() {
    return host().context.jobId();
  }

  /** The queue that the job came from. */
  get queue() {
    return host().context.queueName();
  }

  /** 1 for the job's first start. */
  get attempt() {
    return host().context.attempt();
  }

  /** How many counted failures end the job. */
  get maxAttempts() {
    return host().context.maxAttempts();
  }

  /** When the job was enqueued. */
  get enqueuedAt() {
    return new Date(host().context.enqueuedAt());
  }

  /** The job that enqueued this one, if a job did. */
  get parentId() {
    return host().context.parentId() ?? undefined;
  }

  /** How long until the host ends this attempt. */
  get remaining() {
    return host().context.remaining();
  }

  /** True once somebody asked for this job to be cancelled. */
  get cancelled() {
    return host().context.cancelled();
  }

  /** A header that the producer set; names compare without regard to ASCII case. */
  header(name) {
    return host().context.header(textOf(name)) ?? undefined;
  }

  /** Says how far the attempt is; the total may be unknown. */
  progress(done, total, note) {
    const of = total === undefined || total === null ? null : whole(total, "total");
    const text = note === undefined || note === null ? null : textOf(note);
    host().context.progress(whole(done, "done"), of, text);
  }

  /**
   * What an earlier attempt, or this one, saved last: text as a string, JSON as its value, anything
   * else as bytes.
   */
  checkpoint() {
    const saved = host().context.checkpoint();
    try {
      return saved === null ? undefined : Payload.fromWit(saved).parse("any");
    } catch (error) {
      const message = `the checkpoint doesn't fit: ${error.message}`;
      throw JobError.fatal(message, { code: "invalid-checkpoint" });
    }
  }

  /** Keeps state, 64 KiB at most, with the job for the next attempt to read back. */
  saveCheckpoint(state) {
    const saved = (toPayload(state) ?? new Payload("", "")).toWit();
    ask(({ context }) => context.saveCheckpoint(saved));
  }

  /** The plugin's own part of the cache, which nobody else sees. */
  get cache() {
    return this.bucket("");
  }

  /** A part of the cache that the manifest lets several plugins share. */
  bucket(name) {
    return new Cache(name);
  }

  /** Requests to the hosts that the manifest allows. */
  get http() {
    return http;
  }

  /** A value of the plugin's configuration. */
  config(key) {
    return host().config.get(textOf(key)) ?? undefined;
  }

  /** All values of the plugin's configuration. */
  configAll() {
    return Object.fromEntries(host().config.all());
  }

  /** A secret that the manifest grants. */
  secret(name) {
    return ask(({ secrets }) => secrets.get(textOf(name)));
  }

  /**
   * Hands over jobs that become real in the step that settles this one as completed; an attempt
   * that ends otherwise enqueues nothing. A verdict each, in order.
   */
  enqueue(jobs) {
    return handOver(jobs, "on-success");
  }

  /** Enqueues jobs at once, whatever becomes of this one. A verdict each, in order. */
  enqueueNow(jobs) {
    return handOver(jobs, "immediately");
  }

  trace(message, fields) {
    this.log("trace", message, fields);
  }

  debug(message, fields) {
    this.log("debug", message, fields);
  }

  info(message, fields) {
    this.log("info", message, fields);
  }

  warn(message, fields) {
    this.log("warn", message, fields);
  }

  error(message, fields) {
    this.log("error", message, fields);
  }

  /** Logs a line with fields. */
  log(level, message, fields = {}) {
    if (!USUALLY_KEPT.includes(level) && !this.enabled(level)) {
      return;
    }
    const named = Object.entries(fields).map(([name, value]) => [textOf(name), textOf(shown(value))]);
    host().log.emit(level, textOf(message), named);
  }

  /** Whether lines of this level are kept. */
  enabled(level) {
    if (!["trace", "debug", ...USUALLY_KEPT].includes(level)) {
      throw new TypeError(`there is no level ${JSON.stringify(level)}`);
    }
    return host().log.enabled(level);
  }
}

/** A value in a line of log: text as it is, and what has no text of its own as JSON. */
function shown(value) {
  if (typeof value !== "object" || value === null || value instanceof Error) {
    return String(value);
  }
  try {
    return JSON.stringify(value);
  } catch {
    return String(value);
  }
}

function handOver(jobs, commit) {
  const list = Symbol.iterator in jobs ? [...jobs] : [jobs];
  const verdicts = ask(({ queue }) => queue.enqueue(list.map((job) => newJob(queue, job)), commit));
  return verdicts.map(({ tag, val }) =>
    tag === "rejected" ? { verdict: tag, reason: val } : { verdict: tag, id: val },
  );
}

const SETTERS = {
  queue: (job, name) => job.setQueue(textOf(name)),
  priority: (job, priority) => job.setPriority(whole(priority, "priority", { max: 255 })),
  delay: (job, delay) => job.setDelay(milliseconds(delay, "delay")),
  maxAttempts: (job, attempts) =>
    job.setMaxAttempts(whole(attempts, "maxAttempts", { max: 0xffffffff })),
  timeout: (job, timeout) => job.setTimeout(milliseconds(timeout, "timeout")),
  uniqueKey: (job, key) => job.setUniqueKey(textOf(key)),
  headers: (job, headers) => {
    for (const [name, value] of Object.entries(headers)) {
      job.setHeader(textOf(name), textOf(value));
    }
  },
};

function newJob(queue, { function: name, input, ...options }) {
  const job = new queue.NewJob(textOf(name), (toPayload(input) ?? new Payload("", "")).toWit());
  for (const [option, value] of Object.entries(options)) {
    if (!Object.hasOwn(SETTERS, option)) {
      throw new TypeError(`a new job has no ${JSON.stringify(option)}`);
    }
    if (value !== undefined && value !== null) {
      SETTERS[option](job, value);
    }
  }
  return job;
}
