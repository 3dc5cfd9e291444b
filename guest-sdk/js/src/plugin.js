// A plugin's table of functions, and the way from the host's call to them.

import { Ctx } from "./ctx.js";
import { JobError } from "./errors.js";
import { KINDS, Payload, toPayload } from "./payload.js";

const KEYS = ["summary", "input", "accepts", "returns", "output", "run"];

/**
 * Makes a component of jobs by their names: what it gives are the exports of the component.
 *
 * A job is a function `(ctx, input) => result`, or an object with it under `run` and what there is
 * to say of it.
 */
export function plugin(jobs) {
  const functions = new Map(Object.entries(jobs).map(([name, job]) => [name, defined(name, job)]));
  return {
    handler: {
      handle(name, input) {
        try {
          return run(functions, name, Payload.fromWit(input));
        } catch (error) {
          throw JobError.from(error).toFailure();
        }
      },
    },
    describe: {
      describe: () => JSON.stringify({ functions: [...functions].map(described) }),
    },
  };
}

/** A job with all that isn't said filled in. What is said wrongly stops the build of the component. */
function defined(name, job) {
  const given = typeof job === "function" ? { run: job } : job;
  const unknown = Object.keys(given).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) {
    throw new TypeError(`the job ${name} has ${JSON.stringify(unknown)}; known are ${KEYS.join(", ")}`);
  }
  if (typeof given.run !== "function") {
    throw new TypeError(`the job ${name} has no function run`);
  }
  const { summary, input = "any", accepts, returns, output } = given;
  // A schema speaks of JSON.
  const schema = typeof input === "object" ? input : undefined;
  const kind = KINDS[schema ? "json" : input];
  if (kind === undefined) {
    throw new TypeError(
      `the job ${name} takes ${JSON.stringify(input)}, which is no JSON Schema and none of ` +
        Object.keys(KINDS).join(", "),
    );
  }
  return {
    summary,
    accepts: accepts ?? kind.accepts,
    returns: returns ?? (output ? "application/json" : undefined),
    schema,
    output,
    read: kind.read,
    run: (ctx, value) => given.run(ctx, value),
  };
}

function described([name, { summary, accepts, returns, schema, output }]) {
  return { name, summary, accepts, returns, input: schema, output };
}

function run(functions, name, input) {
  const job = functions.get(name);
  if (job === undefined) {
    const known = [...functions.keys()].map((known) => JSON.stringify(known)).join(", ");
    const message = `no function ${JSON.stringify(name)}; this plugin has ${known}`;
    throw JobError.fatal(message, { code: "unknown-function" });
  }
  const result = job.run(new Ctx(), job.read(input));
  if (typeof result?.then === "function") {
    // There is nothing to wait for: calls of the host answer at once.
    const message = `the job ${name} gave a promise: jobs are plain functions, without async`;
    throw JobError.fatal(message, { code: "promise" });
  }
  return toPayload(result)?.toWit() ?? null;
}
