// The test host's cache.

const KEY_BYTES_MAX = 512;
const VALUE_BYTES_MAX = 1024 * 1024;

/** Throws what the engine in components throws where the host answers an error. */
export function refuse(tag, val) {
  throw Object.assign(new Error(`${tag} (see error.payload)`), { payload: { tag, val } });
}

/** Entries by bucket and key, and the clock that they expire by. */
export class Memory {
  /** Milliseconds since the host was made. */
  now = 0;
  #buckets = new Map();
  #reservations = new Map();
  #versions = 0;

  /** The contract's interface `cache`. */
  interface() {
    return {
      Reservation: { fill: (reservation, value, ttl) => this.#fill(reservation, value, ttl) },
      get: (bucket, key) => this.#entry(bucket, key)?.value ?? null,
      getEntry: (bucket, key) => this.#shown(this.#entry(bucket, key)),
      exists: (bucket, key) => this.#entry(bucket, key) !== undefined,
      set: (bucket, key, value, ttl, condition) => {
        const present = this.#entry(bucket, key) !== undefined;
        const holds = condition === "always" || present === (condition === "if-present");
        return holds && this.#store(bucket, key, value, ttl);
      },
      compareAndSet: (bucket, key, version, value, ttl) => {
        const current = this.#entry(bucket, key)?.version ?? null;
        return current === version && this.#store(bucket, key, value, ttl);
      },
      delete: (bucket, key) => this.#delete(bucket, key),
      touch: (bucket, key, ttl) => {
        const entry = this.#entry(bucket, key);
        return entry !== undefined && this.#store(bucket, key, entry.value, ttl);
      },
      increment: (bucket, key, delta, ttl) => this.#increment(bucket, key, delta, ttl),
      getMany: (bucket, keys) => keys.map((key) => this.#entry(bucket, key)?.value ?? null),
      setMany: (bucket, entries, ttl) => {
        entries.forEach(([key, value]) => this.#store(bucket, key, value, ttl));
      },
      deleteMany: (bucket, keys) => this.#deleteMany(bucket, keys),
      clear: (bucket, prefix) => this.#deleteMany(bucket, this.#keys(bucket, prefix)),
      scan: (bucket, prefix, cursor, limit) => this.#scan(bucket, prefix, cursor, limit),
      getOrReserve: (bucket, key, wait) => this.#getOrReserve(bucket, key, wait),
    };
  }

  #live(bucket) {
    const entries = this.#buckets.get(bucket) ?? new Map();
    this.#buckets.set(bucket, entries);
    for (const [key, { expiresAt }] of entries) {
      if (expiresAt <= this.now) {
        entries.delete(key);
      }
    }
    return entries;
  }

  #entry(bucket, key) {
    const bytes = new TextEncoder().encode(key).length;
    if (bytes < 1 || bytes > KEY_BYTES_MAX) {
      refuse("invalid", `key: ${bytes} bytes, not 1 to ${KEY_BYTES_MAX}`);
    }
    return this.#live(bucket).get(key);
  }

  #shown(entry) {
    if (entry === undefined) {
      return null;
    }
    const ttl = entry.expiresAt === Infinity ? null : entry.expiresAt - this.now;
    return { value: entry.value, version: entry.version, ttl };
  }

  /** Stores a value, which ends a reservation of its key. */
  #store(bucket, key, value, ttl) {
    const old = this.#entry(bucket, key);
    if (value.length > VALUE_BYTES_MAX) {
      refuse("too-large", VALUE_BYTES_MAX);
    }
    this.#reservations.delete(place(bucket, key));
    const isSame = old !== undefined && String(old.value) === String(value);
    const version = isSame ? old.version : (this.#versions += 1);
    const expiresAt = ttl === null ? Infinity : this.now + ttl;
    this.#live(bucket).set(key, { value: value.slice(), version, expiresAt });
    return true;
  }

  #delete(bucket, key) {
    this.#entry(bucket, key);
    return this.#live(bucket).delete(key);
  }

  #increment(bucket, key, delta, ttl) {
    const entry = this.#entry(bucket, key);
    const text = entry === undefined ? "0" : new TextDecoder().decode(entry.value);
    if (!/^-?\d+$/.test(text)) {
      refuse("invalid", `the value under ${JSON.stringify(key)} is no number`);
    }
    const sum = Number(text) + delta;
    const left = entry === undefined ? ttl : this.#shown(entry).ttl;
    this.#store(bucket, key, new TextEncoder().encode(String(sum)), left);
    return sum;
  }

  #deleteMany(bucket, keys) {
    return keys.filter((key) => this.#delete(bucket, key)).length;
  }

  #keys(bucket, prefix) {
    return [...this.#live(bucket).keys()].filter((key) => key.startsWith(prefix)).sort();
  }

  /** The cursor is the last key of the page before. */
  #scan(bucket, prefix, cursor, limit) {
    const rest = this.#keys(bucket, prefix).filter((key) => cursor === null || key > cursor);
    const keys = rest.slice(0, limit);
    return { keys, cursor: rest.length > limit ? keys.at(-1) : null };
  }

  /** Nobody else runs while a test waits, so all of the time passes at once. */
  #getOrReserve(bucket, key, wait) {
    const entry = this.#entry(bucket, key);
    if (entry !== undefined) {
      return { tag: "hit", val: entry.value };
    }
    const name = place(bucket, key);
    if (this.#reservations.has(name)) {
      this.now += wait;
      return { tag: "busy" };
    }
    const reservation = { bucket, key };
    reservation[Symbol.dispose] = () => {
      if (this.#reservations.get(name) === reservation) {
        this.#reservations.delete(name);
      }
    };
    this.#reservations.set(name, reservation);
    return { tag: "reserved", val: reservation };
  }

  #fill(reservation, value, ttl) {
    const { bucket, key } = reservation;
    const holds = this.#reservations.get(place(bucket, key)) === reservation;
    return holds && this.#store(bucket, key, value, ttl);
  }
}

function place(bucket, key) {
  return JSON.stringify([bucket, key]);
}
