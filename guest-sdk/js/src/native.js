// The entry for Node: the same package without a host. Tests bring one, a TestHost.

export * from "./index.js";
