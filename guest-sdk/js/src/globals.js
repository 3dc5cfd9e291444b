// What JavaScript has elsewhere and the engine in components lacks: text codecs, a console, and
// chance. A component starts every attempt as it was when it was built, so whatever is random has
// to come from the host.

import { host, textOf } from "./host.js";
import { bytesOf } from "./payload.js";
import { decode, decodeLossy, encode } from "./utf8.js";

/** The most bytes of chance that the host gives in a call. */
const CHANCE_BYTES_MAX = 65_536;

export function addGlobals(scope) {
  const added = { TextEncoder, TextDecoder, console, crypto };
  for (const [name, value] of Object.entries(added)) {
    scope[name] ??= value;
  }
  scope.Math.random = random;
}

class TextEncoder {
  get encoding() {
    return "utf-8";
  }

  encode(text = "") {
    return encode(String(text));
  }
}

class TextDecoder {
  #fatal;

  constructor(label = "utf-8", { fatal = false } = {}) {
    if (!/^utf-?8$/i.test(label)) {
      throw new RangeError(`there is no decoder for ${label}`);
    }
    this.#fatal = fatal;
  }

  get encoding() {
    return "utf-8";
  }

  decode(data = new Uint8Array()) {
    const text = (this.#fatal ? decode : decodeLossy)(bytesOf(data));
    return text.startsWith("\ufeff") ? text.slice(1) : text;
  }
}

function emit(level, values) {
  const shown = values.map((value) => {
    if (typeof value === "string") {
      return value;
    }
    if (value instanceof Error) {
      return `${value.name}: ${value.message}\n${value.stack ?? ""}`.trimEnd();
    }
    try {
      return JSON.stringify(value) ?? String(value);
    } catch {
      return String(value);
    }
  });
  host().log.emit(level, textOf(shown.join(" ")), []);
}

/** The job's log. */
const console = {
  debug: (...values) => emit("debug", values),
  log: (...values) => emit("info", values),
  info: (...values) => emit("info", values),
  warn: (...values) => emit("warn", values),
  error: (...values) => emit("error", values),
};

/** Bytes fit for secrets. */
const crypto = {
  getRandomValues(array) {
    if (array.byteLength > CHANCE_BYTES_MAX) {
      throw new RangeError(`at most ${CHANCE_BYTES_MAX} bytes of chance in a call`);
    }
    bytesOf(array).set(host().system.random(array.byteLength));
    return array;
  },

  randomUUID() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  },
};

/** The state of a small generator (xoshiro128+), which the host seeds once in an attempt. */
let state;

function random() {
  if (state === undefined) {
    state = new Uint32Array(bytesOf(host().system.random(16)).slice().buffer);
  }
  return (next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53;
}

function next() {
  const result = (state[0] + state[3]) >>> 0;
  const shifted = state[1] << 9;
  state[2] ^= state[0];
  state[3] ^= state[1];
  state[1] ^= state[2];
  state[0] ^= state[3];
  state[2] ^= shifted;
  state[3] = (state[3] << 11) | (state[3] >>> 21);
  return result;
}
