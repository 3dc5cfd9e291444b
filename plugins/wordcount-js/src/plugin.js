// Text in, JSON out. `wordcount` is the same plugin in Rust, and counts alike.

import { plugin } from "gristmill-guest";

import { report } from "./count.js";

export const { handler, describe } = plugin({
  count: {
    summary: "Counts lines and words of a text, and lists its 20 most frequent words.",
    input: "text",
    returns: "application/json",
    run: (ctx, text) => report(text),
  },
});
