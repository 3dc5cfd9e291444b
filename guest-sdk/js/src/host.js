// The host that answers calls: the interfaces of the contract (the folder wit/ of the repository),
// each an object of functions. Everything else in this package reaches the host through here, so
// that a test can put another in its place.

import { HostError } from "./errors.js";
import { wellFormed } from "./utf8.js";

let active = null;

/** Takes a host, and gives the one before it back. */
export function setHost(host) {
  const before = active;
  active = host;
  return before;
}

/** The host; outside of components and tests there is none. */
export function host() {
  if (active === null) {
    throw new Error("there is no host here: run the job in a TestHost of gristmill-guest/test");
  }
  return active;
}

/** Calls a function of the host; what it answers as an error is thrown as a HostError. */
export function ask(call) {
  try {
    return call(host());
  } catch (error) {
    throw HostError.from(error) ?? error;
  }
}

/**
 * Text for the host, which has to be such: a half of a surrogate pair would end the attempt as a
 * trap, far from its cause.
 */
export function textOf(value) {
  return wellFormed(String(value));
}

/**
 * A whole number for the host: anything else would end the attempt as a trap, far from its cause.
 * Numbers beyond 2^53 don't survive the way there and back.
 */
export function whole(value, name, { min = 0, max = Number.MAX_SAFE_INTEGER } = {}) {
  const number = Number(value);
  if (!Number.isInteger(number) || number < min || number > max) {
    throw new HostError("invalid", `${name}: ${String(value)} is no whole number of ${min} to ${max}`);
  }
  return number;
}

/** Milliseconds for the host: a part of one is a whole one. None stays none. */
export function milliseconds(value, name) {
  return value === undefined || value === null ? null : whole(Math.ceil(Number(value)), name);
}
