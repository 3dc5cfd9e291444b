// What both entries of the package have: sandbox.js, which components are made with, and native.js,
// which tests run with.

export { Ctx } from "./ctx.js";
export { HostError, JobError } from "./errors.js";
export { Payload } from "./payload.js";
export { plugin } from "./plugin.js";
