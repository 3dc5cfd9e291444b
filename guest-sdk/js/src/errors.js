// Failures that say what to do about them.

import { Payload, toPayload } from "./payload.js";
import { wellFormed } from "./utf8.js";

/** Tells a HostError of this package's own making, and one that the host answered. */
const REASONS = {
  "access-denied": (grant) => `access denied: ${grant}`,
  invalid: (reason) => `invalid argument: ${reason}`,
  "too-large": (limit) => `larger than the limit of ${limit} bytes`,
  "quota-exceeded": (budget) => `quota exceeded: ${budget}`,
  unavailable: (service) => `${service} is unavailable`,
};

/** Another attempt has no chance: the same call would be refused again. */
const HOPELESS = ["access-denied", "invalid", "too-large"];

/**
 * What a call of the host throws when it can't give its result. Not caught, it becomes the job's
 * failure with `code` and `disposition`.
 */
export class HostError extends Error {
  constructor(code, value) {
    const [name, message] = code === "other" ? value : [code, REASONS[code](value)];
    super(message);
    this.name = "HostError";
    this.code = name;
    this.disposition = HOPELESS.includes(code) ? "fatal" : "retry";
    this.limit = code === "too-large" ? value : undefined;
  }

  /** The error that the host answered; none, if this is something else. */
  static from(error) {
    const answer = error?.payload;
    const known = answer?.tag === "other" || Object.hasOwn(REASONS, answer?.tag ?? "");
    return known ? new HostError(answer.tag, answer.val) : undefined;
  }
}

/** Why an attempt failed, and whether to try again. */
export class JobError extends Error {
  constructor(disposition, message, { code, detail, delay, cause } = {}) {
    super(String(message), cause === undefined ? undefined : { cause });
    this.name = "JobError";
    this.disposition = disposition;
    this.delay = delay;
    this.code = code;
    this.detail = detail;
  }

  /** A failure that may pass: the job is tried again by its retry policy. */
  static retry(message, options) {
    return new JobError("retry", message, options);
  }

  /** A failure that may pass, but not before so many milliseconds are over. */
  static retryAfter(delay, message, options) {
    return new JobError("retry-after", message, { ...options, delay });
  }

  /** A failure that another attempt would meet again: the job is not tried again. */
  static fatal(message, options) {
    return new JobError("fatal", message, options);
  }

  /** Any thrown value as a JobError. What nobody expected is tried again, with its stack as detail. */
  static from(error) {
    if (error instanceof JobError) {
      return error;
    }
    const answered = hostErrorOf(error);
    if (answered) {
      const { code, disposition } = answered;
      return new JobError(disposition, chain(error), { code, detail: trace(error) });
    }
    if (error instanceof Error) {
      return new JobError("retry", chain(error), { code: error.name, detail: trace(error) });
    }
    return new JobError("retry", `thrown: ${String(error)}`, { code: "thrown" });
  }

  /** The failure as the contract has it. */
  toFailure() {
    const after = { tag: "retry-after", val: wholeDelay(this.delay) };
    return {
      message: wellFormed(chain(this)),
      code: this.code === undefined ? null : wellFormed(String(this.code)),
      detail: detailOf(this.detail),
      disposition: this.disposition === "retry-after" ? after : { tag: this.disposition },
    };
  }
}

/** Input that doesn't fit is the producer's fault, and would be so again. */
export function invalidInput(reason) {
  return JobError.fatal(`invalid input: ${reason}`, { code: "invalid-input" });
}

function hostErrorOf(error) {
  for (let next = error; next instanceof Error; next = next.cause) {
    if (next instanceof HostError) {
      return next;
    }
  }
  return undefined;
}

/** The messages of an error and of its causes, unless one repeats the next. */
function chain(error) {
  let message = error instanceof JobError || error instanceof HostError || error.name === "Error"
    ? error.message
    : `${error.name}: ${error.message}`;
  for (let next = error.cause; next instanceof Error; next = next.cause) {
    if (!message.endsWith(next.message)) {
      message += `: ${next.message}`;
    }
  }
  return message;
}

function trace(error) {
  const stack = String(error.stack ?? "").trimEnd();
  // Some engines repeat the message in the stack.
  return stack.startsWith(error.name) ? stack : `${error.name}: ${error.message}\n${stack}`;
}

function detailOf(detail) {
  try {
    return toPayload(detail)?.toWit() ?? null;
  } catch (error) {
    return Payload.text(String(error.message)).toWit();
  }
}

/** A delay that is none is no reason to lose the failure. */
function wholeDelay(delay) {
  const milliseconds = Math.ceil(Number(delay));
  return milliseconds > 0 && Number.isSafeInteger(milliseconds) ? milliseconds : 0;
}
