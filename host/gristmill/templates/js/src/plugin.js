// Text in, JSON out: a first job, to be replaced by your own.

import { plugin } from "gristmill-guest";

export const { handler, describe } = plugin({
  count: {
    summary: "Counts the lines and words of a text.",
    input: "text",
    returns: "application/json",
    run(ctx, text) {
      const lines = text.split("\n").length - (text === "" || text.endsWith("\n") ? 1 : 0);
      const words = text.split(/\s+/).filter((word) => word !== "").length;
      ctx.info(`counted ${words} words`);
      return { lines, words };
    },
  },
});
