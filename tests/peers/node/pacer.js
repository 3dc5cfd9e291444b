// A thread that says when the next job's time has come: a timer on the loop that also runs the client is
// late by up to a millisecond, which is more than many jobs take.

import { parentPort, workerData } from "node:worker_threads";

import { now } from "./tally.js";

const { jobs, rate } = workerData;
const never = new Int32Array(new SharedArrayBuffer(4));
const began = now();
for (let number = 0; number < jobs; number++) {
  const due = began + BigInt(Math.round((number * 1e9) / rate));
  for (let wait = due - now(); wait > 0n; wait = due - now()) {
    Atomics.wait(never, 0, 0, Number(wait) / 1e6);
  }
  parentPort.postMessage({ number, due });
}
