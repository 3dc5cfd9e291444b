// What an editor knows of jobs; `tsc` reads it, and nothing runs it. A line below `@ts-expect-error` has to be wrong.

import { type Ctx, HostError, JobError, Payload, plugin, type Run } from "gristmill-guest";
import { TestHost } from "gristmill-guest/test";

const greet: Run<"text"> = (ctx: Ctx, name) => {
  ctx.info("greeting", { name: name.toUpperCase(), attempt: ctx.attempt });
  // @ts-expect-error: text is no number.
  name.toFixed();
  return `Hello, ${name}!`;
};

const jobs = plugin({
  greet: { summary: "Greets somebody.", input: "text", run: greet },
  sum: { input: { type: "array" }, output: { type: "number" }, run: (_ctx, numbers) => numbers.length },
  size: { input: "bytes", accepts: ["image/*"], run: (_ctx: Ctx, data: Uint8Array) => data.byteLength },
  pass: (_ctx: Ctx, input: unknown) => input,
  // @ts-expect-error: there is no such kind of input.
  wrong: { input: "texts", run: () => undefined },
});

function page(ctx: Ctx, url: string): string {
  const text: string = ctx.cache.remember(`page:${url}`, 60_000, () => ctx.http.get(url).success().text());
  const verdicts = ctx.enqueue([{ function: "greet", input: text, priority: 2, uniqueKey: url }]);
  for (const verdict of verdicts) {
    if (verdict.verdict === "accepted") ctx.progress(1, verdicts.length, verdict.id);
  }
  // @ts-expect-error: the log's fields are an object.
  ctx.warn("fields", 1);
  return text;
}

export function failures(error: unknown): number | undefined {
  if (error instanceof HostError) return error.limit;
  throw JobError.retryAfter(1_000, "later", { code: "busy", cause: error });
}

const host = new TestHost({ config: { size: "small" }, logLevel: "debug" });
export const answers: [string, Payload | undefined, string] = [
  host.run(jobs, "greet", "Ada"),
  host.handle(jobs, "greet", Payload.text("Ada")),
  host.with((ctx) => page(ctx, "http://localhost/")),
];
