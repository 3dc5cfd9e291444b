// A value that is dear to compute and the same for everybody: the cache remembers it, and one
// attempt computes it for all that want it at one time. `pi` is the same plugin in Rust.

import { JobError, plugin } from "gristmill-guest";

import { pi } from "./spigot.js";

/** More take a job for seconds. */
const DIGITS_MAX = 1_000;

/** How long digits are remembered: they don't change, and room in the cache is for all. */
const REMEMBERED = 24 * 60 * 60 * 1000;

export const { handler, describe } = plugin({
  digits: {
    summary: "Gives π with so many digits after the point, from the cache if it has them.",
    input: { type: "integer" },
    output: { type: "object", properties: { digits: { type: "string" }, cached: { type: "boolean" } } },
    run(ctx, length) {
      if (!Number.isInteger(length)) {
        throw JobError.fatal("invalid input: expected a whole number", { code: "invalid-input" });
      }
      if (length < 1 || length > DIGITS_MAX) {
        const message = `${length} digits: from 1 to ${DIGITS_MAX} can be had`;
        throw JobError.fatal(message, { code: "digits", detail: DIGITS_MAX });
      }
      let cached = true;
      const compute = () => {
        cached = false;
        ctx.info("computing", { digits: length });
        return pi(length, (done) => ctx.progress(done, length));
      };
      // As text, which is how the other languages' plugins store it.
      const digits = ctx.cache.remember(`pi:${length}`, REMEMBERED, compute, { as: "text" });
      return { digits, cached };
    },
  },

  prepare: {
    summary:
      "Has the digits of several lengths computed, each by a job of its own, and gives these jobs' ids.",
    input: { type: "array", items: { type: "integer" } },
    output: { type: "array", items: { type: "string" } },
    run(ctx, lengths) {
      const verdicts = ctx.enqueue(
        lengths.map((length) => ({ function: "digits", input: length, uniqueKey: `pi:${length}` })),
      );
      return verdicts.filter(({ verdict }) => verdict === "accepted").map(({ id }) => id);
    },
  },
});
