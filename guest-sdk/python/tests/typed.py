"""What an editor knows of jobs; mypy reads it, and nothing runs it. A line that is ignored has to be wrong."""

from typing import Any, assert_type

from gristmill_guest import Ctx, HostError, JobError, NewJob, Payload, job, plugin
from gristmill_guest.testing import TestHost


@job
def greet(ctx: Ctx, name: str) -> str:
    ctx.info("greeting", name=name, attempt=ctx.attempt)
    return f"Hello, {name}!"


@job(name="page.size", accepts=["text/*"], output={"type": "integer"})
def size(ctx: Ctx, url: str) -> int:
    page = ctx.cache.remember(f"page:{url}", 60, lambda: ctx.http.get(url).success().text())
    assert_type(page, str)
    ctx.enqueue([NewJob("greet", page, priority=2, unique_key=url)])
    ctx.progress("half")  # type: ignore[arg-type]
    return len(page)


def failures(error: Exception) -> str:
    if isinstance(error, HostError):
        return error.code
    raise JobError.retry_after(1, "later", code="busy")


Handler, Describe = plugin(greet, size)
plugin(failures)  # type: ignore[arg-type]

host = TestHost(config={"size": "small"})
assert_type(host.run(greet, "Ada"), Any)
assert_type(host.handle(greet, Payload.text("Ada")), Payload | None)
