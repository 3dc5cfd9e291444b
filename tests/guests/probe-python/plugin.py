"""Calls all that the SDK has, for tests to see what came of it. `probe-js` gives the same answers."""

import logging
import random
import secrets
import time
from collections.abc import Callable
from typing import Any

from gristmill_guest import Cache, Ctx, HostError, JobError, NewJob, Payload, job, plugin


def answer(call: Callable[[], Any]) -> Any:
    """The answer of a call, or the code of the error that it raised."""
    try:
        return call()
    except HostError as error:
        return error.code


def of_cache(cache: Cache) -> dict[str, Any]:
    cache.set("expires", {"ü": [1, None]}, 60)
    entry = cache.entry("expires")
    _, _, held = cache.get_or_reserve("reserved", 0)
    return {
        "got": cache.get("expires"),
        "none": cache.get("none"),
        "has_time": 0 < entry.ttl <= 60,
        "exists": [cache.exists("expires"), cache.exists("none")],
        "conditions": [
            cache.set("expires", 1, if_absent=True),
            cache.set("none", 1, if_present=True),
        ],
        "swapped": [
            cache.compare_and_set("expires", entry.version, "new", 60),
            cache.compare_and_set("expires", entry.version, "newer"),
            cache.compare_and_set("fresh", None, 1),
            cache.get("expires"),
        ],
        "touched": [
            cache.touch("expires", None),
            cache.entry("expires").ttl,
            cache.touch("none", 0.001),
        ],
        "sums": [cache.increment("sum", 40, 60), cache.increment("sum", -50)],
        "text": [cache.set("text", "ü", kind=str), cache.get("text", str)],
        "bytes": [
            cache.set("bytes", b"\x00\xff", kind=bytes),
            list(cache.get("bytes", bytes)),
        ],
        "many": [
            cache.set_many({"many:1": 1, "many:2": 2}),
            cache.get_many(["many:1", "none", "many:2"]),
            cache.delete_many(["many:1", "none"]),
            list(cache.scan("many:")),
            cache.clear("many:"),
            cache.delete("sum"),
        ],
        "reserved": [
            held is not None,
            cache.get_or_reserve("reserved", 0) == (False, None, None),
            held.fill("filled"),
            cache.get_or_reserve("reserved", 0)[1],
        ],
        "released": [
            cache.get_or_reserve("released", 0)[2].release(),
            cache.get_or_reserve("released", 0)[2] is not None,
        ],
        "refused": [
            answer(lambda: cache.get("")),
            answer(lambda: cache.set("large", "x" * (1 << 20))),
            answer(lambda: cache.get("text")),
            answer(lambda: cache.increment("text")),
        ],
    }


@job(name="cache")
def cache_job(ctx: Ctx) -> dict:
    return of_cache(ctx.cache)


@job
def context(ctx: Ctx) -> dict:
    return {
        "job": [ctx.job_id, ctx.queue, ctx.attempt, ctx.max_attempts, ctx.parent_id],
        "enqueued_at": round(ctx.enqueued_at.timestamp() * 1000),
        "header": [ctx.header("TENANT"), ctx.header("none")],
        "config": [ctx.config("size"), ctx.config("none"), ctx.config_all()],
        "time": [0 < ctx.remaining <= 30, ctx.cancelled],
        "denied": [
            answer(lambda: ctx.secret("key")),
            answer(lambda: ctx.bucket("rates").get("EUR")),
            answer(lambda: ctx.http.get("https://shop.example/")),
        ],
    }


@job
def end(ctx: Ctx, how: str) -> None:
    match how:
        case "uncaught":
            None.x  # type: ignore[attr-defined]
        case "retry":
            raise JobError.retry("again", code="busy", detail={"a": 1})
        case "later":
            raise JobError.retry_after(1.5, "later")
        case "fatal":
            raise JobError.fatal("never", detail="text")
        case "denied":
            ctx.secret("key")


@job
def chance() -> list:
    return [random.random(), list(secrets.token_bytes(16)), int(time.time() * 1000)]


@job
def log(ctx: Ctx) -> None:
    ctx.progress(1, 2, "half")
    ctx.trace("trace")
    ctx.debug("debug")
    ctx.info("info", number=1)
    ctx.warn("warn \ud800")
    ctx.error("error")
    print("printed")
    logging.getLogger("library").warning("logged %d", 1)


@job
def enqueue(ctx: Ctx) -> list:
    full = NewJob(
        "end",
        "fatal",
        queue="other",
        priority=3,
        delay=60,
        max_attempts=2,
        timeout=1.5,
        unique_key="one",
        headers={"a": "b"},
    )
    return [verdict.kind for verdict in ctx.enqueue([full, NewJob("nope")])]


@job
def checkpoint(ctx: Ctx, input: Any) -> Any:
    before = ctx.checkpoint()
    if before is None:
        ctx.save_checkpoint(input)
        raise JobError.retry("saved")
    return before


@job(name="bytes", returns="image/png")
def picture(data: bytes) -> Payload:
    return Payload("image/png", data)


Handler, Describe = plugin(cache_job, context, end, chance, log, enqueue, checkpoint, picture)
