"""A value that is dear to compute and the same for everybody: the cache remembers it, and one
attempt computes it for all that want it at one time. `pi` is the same plugin in Rust."""

from gristmill_guest import Ctx, JobError, NewJob, job, plugin
from spigot import pi

DIGITS_MAX = 1_000
"""More take a job for seconds."""

REMEMBERED = 24 * 60 * 60
"""How long digits are remembered: they don't change, and room in the cache is for all."""


@job
def digits(ctx: Ctx, length: int) -> dict:
    """Gives π with so many digits after the point, from the cache if it has them."""
    if not 1 <= length <= DIGITS_MAX:
        message = f"{length} digits: from 1 to {DIGITS_MAX} can be had"
        raise JobError.fatal(message, code="digits", detail=DIGITS_MAX)
    cached = True

    def compute() -> str:
        nonlocal cached
        cached = False
        ctx.info("computing", digits=length)
        return pi(length, lambda done: ctx.progress(done, length))

    # As text, which is how the other languages' plugins store it.
    found = ctx.cache.remember(f"pi:{length}", REMEMBERED, compute, kind=str)
    return {"digits": found, "cached": cached}


@job
def prepare(ctx: Ctx, lengths: list[int]) -> list[str]:
    """Has the digits of several lengths computed, each by a job of its own, and gives these jobs' ids."""
    jobs = [NewJob("digits", length, unique_key=f"pi:{length}") for length in lengths]
    return [verdict.accepted for verdict in ctx.enqueue(jobs) if verdict.accepted]


Handler, Describe = plugin(digits, prepare)
