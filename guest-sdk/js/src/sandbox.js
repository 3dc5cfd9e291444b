// The entry for components: the package with the real host.
//
// Nothing here calls the host. This runs once, when the component is built, and what was made then
// is every attempt's start.

import cache from "gristmill:job/cache@0.1.0";
import config from "gristmill:job/config@0.1.0";
import context from "gristmill:job/context@0.1.0";
import http from "gristmill:job/http@0.1.0";
import log from "gristmill:job/log@0.1.0";
import queue from "gristmill:job/queue@0.1.0";
import secrets from "gristmill:job/secrets@0.1.0";
import system from "gristmill:job/system@0.1.0";

import { addGlobals } from "./globals.js";
import { setHost } from "./host.js";

setHost({ cache, config, context, http, log, queue, secrets, system });
addGlobals(globalThis);

export * from "./index.js";
