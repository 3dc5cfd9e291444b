// What a worker writes down for the measurement, and who reads it: see rust/src/tally.rs for its form.

import { closeSync, openSync, readSync, writeSync } from "node:fs";

// How often lines are written: a system call for each would be some of what a job costs.
const WRITE_MS = 5;
// How often a producer looks how far the worker is.
const LOOK_MS = 2;
const BUFFER_BYTES = 1 << 20;

// The clock that all processes of a measurement share.
export const now = () => process.hrtime.bigint();

export const msSince = (began) => Number(now() - began) / 1e6;

export class Tally {
  #file;
  #lines = [];
  #settled = 0;
  #settledAt = 0n;
  #settledWritten = 0;
  #timer;

  constructor(path) {
    this.#file = openSync(path, "w");
    this.#timer = setInterval(() => this.write(), WRITE_MS);
  }

  ready() {
    this.#lines.push(`ready ${now()} settles\n`);
    this.write();
  }

  // A job with this payload was run.
  ran(payload) {
    this.#lines.push(`r ${Number(payload.slice(0, 8))} ${now()}\n`);
  }

  settledOne() {
    this.#settled++;
    this.#settledAt = now();
  }

  write() {
    if (this.#settled > this.#settledWritten) {
      this.#lines.push(`s ${this.#settled} ${this.#settledAt}\n`);
      this.#settledWritten = this.#settled;
    }
    if (this.#lines.length === 0) return;
    writeSync(this.#file, this.#lines.join(""));
    this.#lines.length = 0;
  }

  close() {
    clearInterval(this.#timer);
    this.write();
    closeSync(this.#file);
  }
}

// Hands out the numbers of jobs, and none while too many of them are on their way.
export class Window {
  #jobs;
  #onWayMax;
  #given = 0;
  #run = 0;
  #file;
  #timer;
  #buffer;
  #beginsLine = true;
  #waiting = [];

  constructor(jobs, onWayMax, path) {
    this.#jobs = jobs;
    this.#onWayMax = onWayMax ?? Infinity;
    if (onWayMax === undefined) return;
    this.#buffer = Buffer.alloc(BUFFER_BYTES);
    this.#file = openSync(path, "r");
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
  }

  // The next numbers, at most `bulk`, once there is room for them; none: all are given.
  async next(bulk) {
    const first = this.#given;
    const end = Math.min(this.#jobs, first + bulk);
    this.#given = end;
    while (end - this.#run > this.#onWayMax) {
      await new Promise((resolve) => this.#waiting.push(resolve));
    }
    return Array.from({ length: end - first }, (_, at) => first + at);
  }

  close() {
    clearInterval(this.#timer);
    if (this.#file !== undefined) closeSync(this.#file);
  }

  #look() {
    const size = readSync(this.#file, this.#buffer);
    for (const byte of this.#buffer.subarray(0, size)) {
      // "r": the line `ready` counts as a job, and is one too many.
      if (this.#beginsLine && byte === 0x72) this.#run++;
      this.#beginsLine = byte === 0x0a;
    }
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
