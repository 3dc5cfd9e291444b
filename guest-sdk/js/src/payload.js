// Bytes and their media type, and what JavaScript's values are as such.

import { JobError, invalidInput } from "./errors.js";
import { decode, encode, wellFormed } from "./utf8.js";

const TEXT = "text/plain";
const JSON_TYPE = "application/json";
const BYTES = "application/octet-stream";

/** Bytes and their media type, as they travel between jobs and the host. */
export class Payload {
  constructor(contentType, data) {
    this.contentType = contentType;
    this.data = typeof data === "string" ? encode(data) : bytesOf(data);
  }

  static text(text) {
    return new Payload(TEXT, text);
  }

  static bytes(data) {
    return new Payload(BYTES, data);
  }

  static json(value) {
    return new Payload(JSON_TYPE, writeJson(value));
  }

  /** The media type without its parameters, in lower case. */
  get mediaType() {
    return this.contentType.split(";")[0].trim().toLowerCase();
  }

  get isText() {
    return this.mediaType.startsWith("text/");
  }

  get isJson() {
    return this.mediaType === JSON_TYPE || this.mediaType.endsWith("+json");
  }

  /** Whether this is what a job gets that was enqueued without an input. */
  get isAbsent() {
    return this.contentType === "" && this.data.length === 0;
  }

  /** Reads the payload as a job's input of this kind is read. */
  parse(kind = "any") {
    return KINDS[kind].read(this);
  }

  toWit() {
    return { contentType: wellFormed(this.contentType), data: this.data };
  }

  static fromWit({ contentType, data }) {
    return new Payload(contentType, data);
  }
}

/** How inputs are read, and the media types that fit as `describe` lists them; none where any does. */
export const KINDS = {
  text: { accepts: ["text/*", JSON_TYPE], read: readText },
  json: { accepts: [JSON_TYPE, "text/*"], read: readJson },
  bytes: { accepts: undefined, read: (payload) => payload.data },
  none: { accepts: [], read: readNothing },
  payload: { accepts: undefined, read: (payload) => payload },
  any: { accepts: undefined, read: readAny },
};

function readText(payload) {
  if (payload.isText) {
    return decoded(payload);
  }
  const value = payload.isJson ? parsed(payload) : undefined;
  if (typeof value !== "string") {
    throw unfit(payload, "text or a JSON string");
  }
  return value;
}

/** Text is offered as a JSON string is. */
function readJson(payload) {
  if (payload.isJson) {
    return parsed(payload);
  }
  if (payload.isText) {
    return decoded(payload);
  }
  throw unfit(payload, "JSON");
}

function readNothing(payload) {
  if (payload.data.length !== 0 && !(payload.isJson && parsed(payload) === null)) {
    throw unfit(payload, "no input");
  }
  return undefined;
}

function readAny(payload) {
  if (payload.isAbsent) {
    return undefined;
  }
  return payload.isJson || payload.isText ? readJson(payload) : payload.data;
}

function decoded(payload) {
  try {
    return decode(payload.data);
  } catch (error) {
    throw invalidInput(error.message);
  }
}

function parsed(payload) {
  try {
    return JSON.parse(decode(payload.data));
  } catch (error) {
    throw invalidInput(error.message);
  }
}

function unfit(payload, expected) {
  if (payload.isAbsent) {
    return invalidInput(`expected ${expected}, and there is none`);
  }
  const { contentType, data } = payload;
  return invalidInput(`expected ${expected}, not ${data.length} bytes of ${JSON.stringify(contentType)}`);
}

/**
 * A value as a payload: a string is text, bytes are bytes, undefined is nothing, a Payload is as it
 * is, and everything else is JSON.
 */
export function toPayload(value) {
  if (value === undefined) {
    return undefined;
  }
  if (value instanceof Payload) {
    return value;
  }
  if (typeof value === "string") {
    return Payload.text(value);
  }
  return isBytes(value) ? Payload.bytes(value) : Payload.json(value);
}

/** A value as JSON; one that JSON can't hold is a fatal failure. */
export function writeJson(value) {
  let text;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    throw unserializable(error.message);
  }
  if (text === undefined) {
    throw unserializable(`it is a ${typeof value}`);
  }
  return text;
}

function unserializable(reason) {
  return JobError.fatal(`a value can't be written as JSON: ${reason}`, { code: "unserializable" });
}

export function isBytes(value) {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

/** Bytes as a Uint8Array, which is what the host takes. */
export function bytesOf(data) {
  if (data instanceof Uint8Array) {
    return data;
  }
  if (ArrayBuffer.isView(data)) {
    return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
  return new Uint8Array(data);
}
