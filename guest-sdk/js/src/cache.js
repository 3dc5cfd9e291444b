// What jobs remember beyond their attempt.

import { HostError, JobError } from "./errors.js";
import { ask, host, milliseconds, textOf, whole } from "./host.js";
import { bytesOf, isBytes, writeJson } from "./payload.js";
import { decode, encode } from "./utf8.js";

/** How many keys go into one call of the host. */
const BATCH_MAX = 256;

/**
 * The most milliseconds that one call of the host waits for another's computation; then the time
 * left is looked at again.
 */
const WAIT_MAX = 5_000;

/**
 * One namespace of the cache. Values are JSON, unless the option `as` says "text" or "bytes"; what
 * is stored as one is read as the same.
 */
export class Cache {
  #bucket;

  constructor(bucket) {
    this.#bucket = textOf(bucket);
  }

  /** The value under a key; undefined, if there is none. */
  get(key, { as } = {}) {
    const data = this.#ask((cache, bucket) => cache.get(bucket, textOf(key)));
    return data === null ? undefined : read(key, data, as);
  }

  /** The value under a key with its version and the milliseconds it is still kept, if it expires. */
  entry(key, { as } = {}) {
    const entry = this.#ask((cache, bucket) => cache.getEntry(bucket, textOf(key)));
    if (entry === null) {
      return undefined;
    }
    return { value: read(key, entry.value, as), version: entry.version, ttl: entry.ttl ?? undefined };
  }

  exists(key) {
    return this.#ask((cache, bucket) => cache.exists(bucket, textOf(key)));
  }

  /** Stores a value. False: `ifAbsent` or `ifPresent` was asked for, and it wasn't so. */
  set(key, value, { ttl, ifAbsent, ifPresent, as } = {}) {
    const data = write(key, value, as);
    const condition = ifAbsent ? "if-absent" : ifPresent ? "if-present" : "always";
    const kept = milliseconds(ttl, "ttl");
    return this.#ask((cache, bucket) => cache.set(bucket, textOf(key), data, kept, condition));
  }

  /** Stores a value if the entry has this version still; undefined: if there is no entry. */
  compareAndSet(key, version, value, { ttl, as } = {}) {
    const data = write(key, value, as);
    const kept = milliseconds(ttl, "ttl");
    const expected = version === undefined || version === null ? null : whole(version, "version");
    return this.#ask((cache, bucket) =>
      cache.compareAndSet(bucket, textOf(key), expected, data, kept),
    );
  }

  /** Removes an entry. False: there was none. */
  delete(key) {
    return this.#ask((cache, bucket) => cache.delete(bucket, textOf(key)));
  }

  /** Gives an entry a new time to live; none: it doesn't expire any more. False: there is no entry. */
  touch(key, ttl) {
    const kept = milliseconds(ttl, "ttl");
    return this.#ask((cache, bucket) => cache.touch(bucket, textOf(key), kept));
  }

  /** Adds to a number, starting from 0, and answers the sum. An entry that exists keeps its time. */
  increment(key, delta = 1, { ttl } = {}) {
    const kept = milliseconds(ttl, "ttl");
    const by = whole(delta, "delta", { min: Number.MIN_SAFE_INTEGER });
    return this.#ask((cache, bucket) => cache.increment(bucket, textOf(key), by, kept));
  }

  /** The values under many keys, in the order of the keys. */
  getMany(keys, { as } = {}) {
    return batches(keys).flatMap((batch) => {
      const names = batch.map(textOf);
      const found = this.#ask((cache, bucket) => cache.getMany(bucket, names));
      return found.map((data, at) => (data === null ? undefined : read(names[at], data, as)));
    });
  }

  /** Stores many entries: pairs of key and value, a Map, or an object. Not one step. */
  setMany(entries, { ttl, as } = {}) {
    const kept = milliseconds(ttl, "ttl");
    for (const batch of batches(pairs(entries))) {
      const written = batch.map(([key, value]) => [textOf(key), write(key, value, as)]);
      this.#ask((cache, bucket) => cache.setMany(bucket, written, kept));
    }
  }

  /** Removes many entries and answers how many there were. */
  deleteMany(keys) {
    let deleted = 0;
    for (const batch of batches(keys)) {
      deleted += this.#ask((cache, bucket) => cache.deleteMany(bucket, batch.map(textOf)));
    }
    return deleted;
  }

  /** Removes all entries whose keys start with a prefix and answers how many there were. */
  clear(prefix = "") {
    return this.#ask((cache, bucket) => cache.clear(bucket, textOf(prefix)));
  }

  /** The keys that start with a prefix, in no particular order, read page by page. */
  *scan(prefix = "") {
    let cursor = null;
    do {
      const from = cursor;
      const page = this.#ask((cache, bucket) => cache.scan(bucket, textOf(prefix), from, BATCH_MAX));
      yield* page.keys;
      cursor = page.cursor;
    } while (cursor !== null);
  }

  /**
   * The value under a key; where there is none, it is computed, by one caller while the others
   * wait for it, and stored for `ttl` milliseconds.
   *
   * The cache is a help here and no need: where it can't be reached or the attempt's budget for it
   * is spent, where it holds a value of another kind, and where another caller computes for longer
   * than half of the time that this attempt had left, the value is computed here. What was in the
   * way is logged.
   */
  remember(key, ttl, compute, { as } = {}) {
    const { found, value, reservation } = this.#hitOrTurn(key, as);
    if (found) {
      return value;
    }
    let computed;
    try {
      computed = compute();
    } catch (error) {
      reservation?.release();
      throw error;
    }
    try {
      if (reservation) {
        reservation.fill(computed, { ttl, as });
      } else {
        this.set(key, computed, { ttl, as });
      }
    } catch (error) {
      reservation?.release();
      this.#warn(key, "a computed value isn't kept", error);
    }
    return computed;
  }

  /**
   * The value under a key (`{ hit: true, value }`), or the right to be the only one who computes it
   * (`{ reservation }`), or neither, if another caller computes it and wasn't done within `wait`
   * milliseconds (`{ busy: true }`).
   */
  getOrReserve(key, wait, { as } = {}) {
    const patience = milliseconds(wait, "wait") ?? 0;
    const lookup = this.#ask((cache, bucket) => cache.getOrReserve(bucket, textOf(key), patience));
    if (lookup.tag === "hit") {
      return { hit: true, value: read(key, lookup.val, as) };
    }
    return lookup.tag === "busy" ? { busy: true } : { reservation: new Reservation(key, lookup.val) };
  }

  #hitOrTurn(key, as) {
    const context = host().context;
    const waitUntil = context.remaining() / 2;
    for (;;) {
      const left = context.remaining();
      const wait = Math.min(Math.max(Math.floor(left - waitUntil), 0), WAIT_MAX);
      try {
        const lookup = this.getOrReserve(key, wait, { as });
        if (lookup.hit) {
          return { found: true, value: lookup.value };
        }
        if (lookup.reservation) {
          return { found: false, reservation: lookup.reservation };
        }
      } catch (error) {
        this.#surviving(key, error);
        return { found: false };
      }
      if (context.remaining() <= waitUntil) {
        this.#warn(key, "another computes for too long", "computing it here too");
        return { found: false };
      }
    }
  }

  /** Logs an error that remembering does without; throws others. */
  #surviving(key, error) {
    if (error instanceof UnreadableValue) {
      this.#warn(key, "a value of another kind is replaced", error);
    } else if (error instanceof HostError && error.disposition === "retry") {
      this.#warn(key, "computing without the cache", error);
    } else {
      throw error;
    }
  }

  #warn(key, message, reason) {
    const fields = [["key", textOf(key)], ["reason", textOf(reason?.message ?? reason)]];
    host().log.emit("warn", message, fields);
  }

  #ask(call) {
    return ask((answering) => call(answering.cache, this.#bucket));
  }
}

/** The right to fill one missing key. An attempt that ends without it lets the next caller try. */
export class Reservation {
  #key;
  #held;

  constructor(key, held) {
    this.#key = key;
    this.#held = held;
  }

  /** Stores the value and ends the reservation. False: it had been lost, and nothing was stored. */
  fill(value, { ttl, as } = {}) {
    const data = write(this.#key, value, as);
    const kept = milliseconds(ttl, "ttl");
    if (!this.#held) {
      throw new HostError("invalid", `the reservation of ${JSON.stringify(this.#key)} has ended`);
    }
    const held = this.#held;
    this.#held = undefined;
    return ask(({ cache }) => cache.Reservation.fill(held, data, kept));
  }

  /** Lets the next caller try. */
  release() {
    this.#held?.[Symbol.dispose]?.();
    this.#held = undefined;
  }
}

/** A stored value isn't of the kind that was asked for. */
class UnreadableValue extends HostError {
  constructor(key, kind, reason) {
    super("invalid", `the value under ${JSON.stringify(key)} is no ${kind}: ${reason}`);
  }
}

function read(key, data, as = "json") {
  try {
    switch (as) {
      case "bytes":
        return data;
      case "text":
        return decode(data);
      case "json":
        return JSON.parse(decode(data));
    }
  } catch (error) {
    throw new UnreadableValue(key, as, error.message);
  }
  throw unknownKind(as);
}

function write(key, value, as = "json") {
  const refuse = (reason) => new HostError("invalid", `the value for ${JSON.stringify(key)}: ${reason}`);
  if (as === "bytes") {
    if (!isBytes(value)) {
      throw refuse("these are no bytes");
    }
    return bytesOf(value);
  }
  if (as === "text") {
    return encode(String(value));
  }
  if (as !== "json") {
    throw unknownKind(as);
  }
  if (isBytes(value)) {
    throw refuse('bytes are no JSON; say { as: "bytes" }');
  }
  try {
    return encode(writeJson(value));
  } catch (error) {
    throw error instanceof JobError ? refuse(error.message) : error;
  }
}

function unknownKind(as) {
  return new HostError("invalid", `as: ${JSON.stringify(as)} is none of "json", "text" and "bytes"`);
}

function pairs(entries) {
  return Symbol.iterator in entries ? entries : Object.entries(entries);
}

function batches(items) {
  const all = [...items];
  const found = [];
  for (let at = 0; at < all.length; at += BATCH_MAX) {
    found.push(all.slice(at, at + BATCH_MAX));
  }
  return found;
}
