// The host of native tests.

import type { Cache, Ctx, HttpResponse as Response, Level, NewJob, Payload, Plugin } from "./index.js";

/** What a test wants to be otherwise than by default. */
export interface Given {
  jobId?: string;
  queue?: string;
  attempt?: number;
  maxAttempts?: number;
  parentId?: string;
  headers?: Record<string, string>;
  config?: Record<string, string>;
  /** Others are denied. */
  secrets?: Record<string, string>;
  /** What requests to these URLs answer. Others are denied. */
  responses?: Record<string, Response>;
  /** How long an attempt may take, 30,000 if not said. */
  timeLimit?: number;
  /** The least level of log lines that are kept. */
  logLevel?: Level;
}

/** A host for native tests of jobs; its clock stands still until `advance` moves it. */
export class TestHost {
  constructor(given?: Given);
  /** Runs one attempt of a job and gives its result as a value; its failure is a JobError. */
  run(plugin: Plugin, name: string, input?: unknown): any;
  /** Runs one attempt of a job from payload to payload, as the daemon does. */
  handle(plugin: Plugin, name: string, input?: Payload): Payload | undefined;
  /** What the plugin says of its functions. */
  describe(plugin: Plugin): any;
  /** Calls a function with the context of an attempt, for tests of what jobs are made of. */
  with<T>(call: (ctx: Ctx) => T): T;
  readonly cache: Cache;
  bucket(name: string): Cache;
  readonly log: { level: Level; message: string; fields: Record<string, string> }[];
  readonly progress?: { done: number; total?: number; note?: string };
  readonly enqueued: (NewJob & { input: Payload })[];
  readonly requests: {
    method: string;
    url: string;
    headers: Record<string, string>;
    body: Uint8Array | null;
    timeout: number | null;
  }[];
  readonly checkpoint: any;
  /** Moves the clock by so many milliseconds. */
  advance(milliseconds: number): void;
  /** Asks for the job to be cancelled. */
  cancel(): void;
}

/** A response, for tests. */
export class HttpResponse implements Response {
  constructor(
    status: number,
    body?: string | Uint8Array,
    headers?: readonly (readonly [string, string])[],
  );
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array;
  header(name: string): string | undefined;
  success(): this;
  text(): string;
  json(): any;
}
