// What a Gristmill job written in JavaScript depends on. Times are milliseconds throughout.

/** Bytes and their media type, as they travel between jobs and the host. */
export class Payload {
  constructor(contentType: string, data: string | ArrayBuffer | ArrayBufferView);
  /** Text, as `text/plain`. */
  static text(text: string): Payload;
  /** Bytes that nothing is known of, as `application/octet-stream`. */
  static bytes(data: ArrayBuffer | ArrayBufferView): Payload;
  /** A value as JSON. */
  static json(value: unknown): Payload;
  /** A media type such as `application/json`, with its parameters if it has any. */
  readonly contentType: string;
  readonly data: Uint8Array;
  /** The media type without its parameters, in lower case. */
  readonly mediaType: string;
  readonly isText: boolean;
  readonly isJson: boolean;
  /** Whether this is what a job gets that was enqueued without an input. */
  readonly isAbsent: boolean;
  /** Reads the payload as a job's input of this kind is read. */
  parse<K extends Kind = "any">(kind?: K): Input<K>;
}

/**
 * How a job's input is read:
 *
 * - `text`: a string, from text or a JSON string;
 * - `json`: the value of the JSON; text is offered as a JSON string is;
 * - `bytes`: a Uint8Array, from anything;
 * - `none`: there has to be no input;
 * - `payload`: a Payload, as it came;
 * - `any`: text as a string, JSON as its value, other types as bytes, no input as undefined.
 */
export type Kind = "text" | "json" | "bytes" | "none" | "payload" | "any";

/** A JSON Schema (2020-12). */
export type Schema = { readonly [key: string]: unknown };

/** What a function gets for its kind of input. */
export type Input<K> = K extends "text"
  ? string
  : K extends "bytes"
    ? Uint8Array
    : K extends "none"
      ? undefined
      : K extends "payload"
        ? Payload
        : any;

/**
 * A job's function. A string that it gives is text, a Uint8Array bytes, undefined no result, a
 * Payload as it is, and everything else JSON. It is no async function: calls of the host answer at
 * once.
 */
export type Run<K = any> = (ctx: Ctx, input: Input<K>) => unknown;

/** Where nobody says which kind a job has, any of them, and nothing else. */
type InputOf<K> = 0 extends 1 & K ? Kind | Schema : K;

/** A job with what there is to say of it. */
export interface JobDefinition<K extends Kind | Schema = any> {
  /** One line for people. */
  summary?: string;
  /** How the input is read, `any` if not said; a JSON Schema means `json`, and is told to people. */
  input?: InputOf<K>;
  /** The media types that fit, such as `["image/*"]`; the host refuses jobs with other inputs. */
  accepts?: readonly string[];
  /** The media type of the result. */
  returns?: string;
  /** A JSON Schema of the result. */
  output?: Schema;
  run: Run<K>;
}

/** What a component exports: the exports of a plugin's main module. */
export interface Plugin {
  handler: { handle(name: string, input: { contentType: string; data: Uint8Array }): unknown };
  describe: { describe(): string };
}

/** Makes a component of jobs by their names: `export const { handler, describe } = plugin({ … })`. */
export function plugin(jobs: { readonly [name: string]: Run | JobDefinition }): Plugin;

export type Disposition = "retry" | "retry-after" | "fatal";

export interface Details {
  /** Short and for machines, such as `http-503`; failures are grouped by it. */
  code?: string;
  /** More, for whoever inspects the job; becomes a payload as a result does. */
  detail?: unknown;
  cause?: unknown;
}

/**
 * Why an attempt failed, and whether to try again. Whatever else a job throws is tried again, with
 * its name as the code and its stack as the detail.
 */
export class JobError extends Error {
  private constructor();
  /** A failure that may pass: the job is tried again by its retry policy. */
  static retry(message: string, details?: Details): JobError;
  /** A failure that may pass, but not before so many milliseconds are over. */
  static retryAfter(delay: number, message: string, details?: Details): JobError;
  /** A failure that another attempt would meet again: the job is not tried again. */
  static fatal(message: string, details?: Details): JobError;
  readonly disposition: Disposition;
  readonly delay?: number;
  readonly code?: string;
  readonly detail?: unknown;
}

/**
 * What a call of the host throws when it can't give its result. Not caught, it becomes the job's
 * failure with `code` and `disposition`.
 */
export class HostError extends Error {
  constructor(code: string, value: unknown);
  /** `access-denied`, `invalid`, `too-large`, `quota-exceeded`, `unavailable`, or a later host's own. */
  readonly code: string;
  readonly disposition: "retry" | "fatal";
  /** In bytes, where something was too large. */
  readonly limit?: number;
}

export type Level = "trace" | "debug" | "info" | "warn" | "error";
export type Fields = { readonly [name: string]: unknown };

/** The running attempt: what is known of its job, and what the host does for it. */
export class Ctx {
  /** The job's id, a UUID in its canonical text form. */
  readonly jobId: string;
  /** The queue that the job came from. */
  readonly queue: string;
  /** 1 for the job's first start. */
  readonly attempt: number;
  /** How many counted failures end the job. */
  readonly maxAttempts: number;
  readonly enqueuedAt: Date;
  /** The job that enqueued this one, if a job did. */
  readonly parentId?: string;
  /** How long until the host ends this attempt. */
  readonly remaining: number;
  /** True once somebody asked for this job to be cancelled. */
  readonly cancelled: boolean;
  /** A header that the producer set; names compare without regard to ASCII case. */
  header(name: string): string | undefined;
  /** Says how far the attempt is; the total may be unknown, a note is cut to 256 bytes. */
  progress(done: number, total?: number, note?: string): void;
  /** What was saved last: text as a string, JSON as its value, anything else as bytes. */
  checkpoint(): any;
  /** Keeps state, 64 KiB at most, with the job for the next attempt to read back. */
  saveCheckpoint(state: unknown): void;
  /** The plugin's own part of the cache, which nobody else sees. */
  readonly cache: Cache;
  /** A part of the cache that the manifest lets several plugins share. */
  bucket(name: string): Cache;
  /** Requests to the hosts that the manifest allows. */
  readonly http: Http;
  /** A value of the plugin's configuration. */
  config(key: string): string | undefined;
  configAll(): Record<string, string>;
  /** A secret that the manifest grants. */
  secret(name: string): string;
  /** Hands over jobs that become real if this attempt completes. A verdict each, in order. */
  enqueue(jobs: NewJob | Iterable<NewJob>): Verdict[];
  /** Enqueues jobs at once, whatever becomes of this one. A verdict each, in order. */
  enqueueNow(jobs: NewJob | Iterable<NewJob>): Verdict[];
  trace(message: unknown, fields?: Fields): void;
  debug(message: unknown, fields?: Fields): void;
  info(message: unknown, fields?: Fields): void;
  warn(message: unknown, fields?: Fields): void;
  error(message: unknown, fields?: Fields): void;
  log(level: Level, message: unknown, fields?: Fields): void;
  /** Whether lines of this level are kept. */
  enabled(level: Level): boolean;
}

/** A job to be. */
export interface NewJob {
  /** A function of this plugin, or `plugin/function` where the manifest grants that plugin. */
  function: string;
  /** What it gets; becomes a payload as a result does. */
  input?: unknown;
  /** The queue to wait in; the parent's queue if not said. */
  queue?: string;
  /** 0 is the most urgent, 3 the least, 1 the default. */
  priority?: number;
  delay?: number;
  /** How many counted failures end the job. */
  maxAttempts?: number;
  /** How long an attempt may take. */
  timeout?: number;
  /** While a job with this key is waiting or running, no other with it is enqueued. */
  uniqueKey?: string;
  headers?: Record<string, string>;
}

/** What became of one new job; a conflict has the id of the job that holds the unique key. */
export type Verdict =
  | { verdict: "accepted"; id: string; reason?: undefined }
  | { verdict: "unique-conflict"; id: string; reason?: undefined }
  | { verdict: "rejected"; id?: undefined; reason: string };

/** How a value is stored: JSON, if not said. What is stored as one is read as the same. */
export interface As {
  as?: "json" | "text" | "bytes";
}

export interface Kept extends As {
  /** How long; until it is deleted or evicted, if not said. */
  ttl?: number;
}

/** One namespace of the cache. Keys are 1 to 512 bytes, values up to 1 MiB, both by default. */
export interface Cache {
  get(key: string, options?: As): any;
  /** The value with its version, and how long it is still kept if it expires. */
  entry(key: string, options?: As): { value: any; version: number; ttl?: number } | undefined;
  exists(key: string): boolean;
  /** Stores a value. False: `ifAbsent` or `ifPresent` was asked for, and it wasn't so. */
  set(key: string, value: unknown, options?: Kept & { ifAbsent?: boolean; ifPresent?: boolean }): boolean;
  /** Stores a value if the entry has this version still; undefined: if there is no entry. */
  compareAndSet(key: string, version: number | undefined, value: unknown, options?: Kept): boolean;
  /** Removes an entry. False: there was none. */
  delete(key: string): boolean;
  /** Gives an entry a new time to live; none: it doesn't expire any more. */
  touch(key: string, ttl?: number): boolean;
  /** Adds to a number, starting from 0, and answers the sum, exact up to 2^53. */
  increment(key: string, delta?: number, options?: { ttl?: number }): number;
  getMany(keys: Iterable<string>, options?: As): any[];
  /** Stores many entries. Not one step: others may see some before the rest. */
  setMany(entries: Iterable<readonly [string, unknown]> | Record<string, unknown>, options?: Kept): void;
  /** Removes many entries and answers how many there were. */
  deleteMany(keys: Iterable<string>): number;
  /** Removes all entries whose keys start with a prefix and answers how many there were. */
  clear(prefix?: string): number;
  /** The keys that start with a prefix, in no particular order; a key may come twice. */
  scan(prefix?: string): Iterable<string>;
  /**
   * The value under a key; where there is none, it is computed, by one caller while the others wait
   * for it, and stored. Where the cache can't help, the value is computed without it.
   */
  remember<T>(key: string, ttl: number | undefined, compute: () => T, options?: As): T;
  /** The value, or the right to be the only one who computes it, or neither: another does. */
  getOrReserve(
    key: string,
    wait: number,
    options?: As,
  ): { hit?: true; busy?: true; value?: any; reservation?: Reservation };
}

/** The right to fill one missing key. An attempt that ends without it lets the next caller try. */
export interface Reservation {
  /** Stores the value and ends the reservation. False: it had been lost, and nothing was stored. */
  fill(value: unknown, options?: Kept): boolean;
  /** Lets the next caller try. */
  release(): void;
}

export interface RequestOptions {
  headers?: Record<string, string> | Iterable<readonly [string, string]>;
  /** Sent with its media type, unless a header says one. */
  body?: unknown;
  /** For the whole exchange; 10 seconds, if not said. */
  timeout?: number;
}

/** Outbound HTTP. A redirect isn't followed: it is a response like any other. */
export interface Http {
  request(method: string, url: string, options?: RequestOptions): HttpResponse;
  get(url: string, options?: RequestOptions): HttpResponse;
  post(url: string, options?: RequestOptions): HttpResponse;
}

/** What came back, whatever its status. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
  /** The first header of this name, in whatever case. */
  header(name: string): string | undefined;
  /**
   * The response, if its status is one of success. Otherwise it throws the job's failure: 429 and
   * 5xx are tried again, after the time that a header `retry-after` gives; everything else isn't.
   */
  success(): this;
  text(): string;
  json(): any;
}
