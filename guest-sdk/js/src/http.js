// Requests to the hosts that the manifest allows.

import { HostError, JobError } from "./errors.js";
import { ask, milliseconds, textOf } from "./host.js";
import { toPayload } from "./payload.js";
import { decode } from "./utf8.js";

/**
 * Outbound HTTP; `ctx.http` is it. A redirect isn't followed: it is a response like any other.
 */
export const http = {
  /** Sends a request and waits for the whole response. A status of failure is no error here. */
  request(method, url, { headers = {}, body, timeout } = {}) {
    const payload = toPayload(body);
    const sent = (Symbol.iterator in headers ? [...headers] : Object.entries(headers)).map(
      ([name, value]) => [textOf(name), textOf(value)],
    );
    const hasType = sent.some(([name]) => name.toLowerCase() === "content-type");
    if (payload?.contentType && !hasType) {
      sent.push(["content-type", payload.contentType]);
    }
    const request = {
      method: textOf(method),
      url: textOf(url),
      headers: sent,
      body: payload?.data ?? null,
      timeout: milliseconds(timeout, "timeout"),
    };
    const { status, headers: got, body: data } = ask((host) => host.http.send(request));
    return new HttpResponse(status, data, got);
  },

  get(url, options) {
    return http.request("GET", url, options);
  },

  post(url, options) {
    return http.request("POST", url, options);
  },
};

/** What came back, whatever its status. */
export class HttpResponse {
  /** The body is bytes, or text for tests. */
  constructor(status, body = "", headers = []) {
    this.status = status;
    this.body = toPayload(body).data;
    this.headers = headers;
  }

  /** The first header of this name, in whatever case. */
  header(name) {
    const wanted = name.toLowerCase();
    return this.headers.find(([known]) => known.toLowerCase() === wanted)?.[1];
  }

  /**
   * The response, if its status is one of success. Otherwise it throws the job's failure: 429 and
   * 5xx are tried again, after the time that a header `retry-after` gives in seconds; everything
   * else isn't.
   */
  success() {
    if (this.status >= 200 && this.status < 300) {
      return this;
    }
    const message = `the server answered with status ${this.status}`;
    const code = { code: `http-${this.status}` };
    if (this.status !== 429 && this.status < 500) {
      throw JobError.fatal(message, code);
    }
    const after = this.header("retry-after")?.trim();
    throw /^\d+$/.test(after ?? "")
      ? JobError.retryAfter(Number(after) * 1000, message, code)
      : JobError.retry(message, code);
  }

  /** The body as text. */
  text() {
    return this.#read(decode, "text in UTF-8");
  }

  /** The body as the value that its JSON says. */
  json() {
    return this.#read((body) => JSON.parse(decode(body)), "JSON");
  }

  #read(reading, expected) {
    try {
      return reading(this.body);
    } catch (error) {
      throw new HostError("invalid", `the response is no ${expected}: ${error.message}`);
    }
  }
}
