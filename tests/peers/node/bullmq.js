// BullMQ, behind the command line that all peers of `scripts/bench-peers` have: see rust/src/main.rs.

import { once } from "node:events";
import { parseArgs } from "node:util";
import { Worker as Thread } from "node:worker_threads";

import { Queue, QueueEvents, Worker } from "bullmq";

import { msSince, now, Tally, Window } from "./tally.js";

const QUEUE = "peers";
// The job's name, which BullMQ wants beside its data.
const NAME = "noop";
// Bytes of each job's payload, as in all peers.
const PAYLOAD_BYTES = 100;
// How long a client waits for its job.
const PATIENCE_MS = 30_000;

const url = new URL(process.env.REDIS_URL ?? "redis://127.0.0.1:6379");
const connection = { host: url.hostname, port: Number(url.port || 6379), maxRetriesPerRequest: null };

const payload = (number) => String(number).padStart(8, "0").padEnd(PAYLOAD_BYTES, ".");

const openQueue = () => new Queue(QUEUE, { connection, defaultJobOptions: { removeOnComplete: true } });

async function produce(queue, window, bulk) {
  for (;;) {
    const numbers = await window.next(bulk);
    if (numbers.length === 0) return;
    if (bulk > 1) {
      await queue.addBulk(numbers.map((number) => ({ name: NAME, data: payload(number) })));
    } else {
      await queue.add(NAME, payload(numbers[0]));
    }
  }
}

async function enqueue(how) {
  const queue = openQueue();
  await queue.waitUntilReady();
  const window = new Window(Number(how.jobs), how.window && Number(how.window), how.tally);
  const began = now();
  const producers = Array.from({ length: Number(how["at-once"] ?? 1) }, () =>
    produce(queue, window, Number(how.bulk ?? 1)),
  );
  await Promise.all(producers);
  console.log(JSON.stringify({ began_ns: Number(began), seconds: msSince(began) / 1e3 }));
  window.close();
  await queue.close();
}

async function work(how) {
  const tally = new Tally(how.tally);
  const processor = async (job) => {
    tally.ran(job.data);
  };
  const concurrency = Number(how.concurrency);
  const worker = new Worker(QUEUE, processor, { connection, concurrency, autorun: false });
  worker.on("completed", () => tally.settledOne());
  for (const name of ["failed", "error"]) {
    worker.on(name, (...what) => {
      console.error(`the worker says ${name}:`, ...what);
      process.exit(1);
    });
  }
  await worker.waitUntilReady();
  tally.ready();
  process.on("SIGTERM", async () => {
    await worker.close();
    tally.close();
  });
  await worker.run();
}

async function call(how) {
  const queue = openQueue();
  const events = new QueueEvents(QUEUE, { connection });
  await events.waitUntilReady();
  const jobs = Number(how.jobs);
  const ms = how.rate
    ? await atRate(queue, events, jobs, Number(how.rate))
    : await oneByOne(queue, events, jobs);
  console.log(JSON.stringify({ ms }));
  await events.close();
  await queue.close();
}

async function oneByOne(queue, events, jobs) {
  // A worker that completes the job before its client asks for it would have removed it by then.
  const kept = { removeOnComplete: { count: 1_000 } };
  const times = [];
  for (let number = 0; number < jobs; number++) {
    const began = now();
    const job = await queue.add(NAME, payload(number), kept);
    await job.waitUntilFinished(events, PATIENCE_MS);
    times.push(msSince(began));
  }
  return times;
}

// Each job when its time has come, whatever became of those before; its time counts from then. One reader
// of the events writes down when each is completed: a wait of its own for each asks the server once more.
async function atRate(queue, events, jobs, rate) {
  const completed = new Map();
  const all = new Promise((resolve) => {
    events.on("completed", ({ jobId }) => {
      completed.set(jobId, now());
      if (completed.size === jobs) resolve();
    });
  });
  const pacer = new Thread(new URL("./pacer.js", import.meta.url), { workerData: { jobs, rate } });
  const adding = [];
  const add = async (number, due) => {
    const job = await queue.add(NAME, payload(number));
    return { id: job.id, due, added: now() };
  };
  pacer.on("message", ({ number, due }) => adding.push(add(number, due)));
  await once(pacer, "exit");
  const added = await Promise.all(adding);
  await all;
  // A client knows the id by which it is told of its job only once that is added.
  return added.map((job) => {
    const end = completed.get(job.id);
    return Number((end > job.added ? end : job.added) - job.due) / 1e6;
  });
}

async function left() {
  const queue = openQueue();
  const counts = await queue.getJobCounts("wait", "active", "delayed", "prioritized", "failed");
  const { failed, ...rest } = counts;
  const waiting = Object.values(rest).reduce((sum, count) => sum + count, 0);
  console.log(JSON.stringify({ waiting, failed }));
  await queue.close();
}

const text = { type: "string" };
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    jobs: text,
    "at-once": text,
    bulk: text,
    window: text,
    tally: text,
    rate: text,
    concurrency: text,
  },
});
const roles = { enqueue, work, call, left };
const role = roles[positionals[0]];
if (!role) {
  console.error(`there is no role ${positionals[0]}: it is one of ${Object.keys(roles).join(", ")}`);
  process.exit(2);
}
await role(values);
