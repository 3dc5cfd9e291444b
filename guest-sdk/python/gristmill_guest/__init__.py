"""What a Gristmill job written in Python depends on.

A job is a function, and a plugin is a module of them that is made into a WebAssembly component:

    from gristmill_guest import Ctx, job, plugin

    @job
    def greet(ctx: Ctx, name: str) -> str:
        \"\"\"Says hello.\"\"\"
        ctx.info("somebody is here")
        return f"hello, {name}"

    Handler, Describe = plugin(greet)

Natively the same code runs against a `gristmill_guest.testing.TestHost`.
"""

from ._cache import Cache, Entry, Reservation
from ._ctx import Ctx, NewJob, Verdict
from ._errors import Disposition, HostError, JobError
from ._http import Http, HttpResponse
from ._payload import Payload
from ._plugin import Job, job, plugin

__all__ = [
    "Cache",
    "Ctx",
    "Disposition",
    "Entry",
    "HostError",
    "Http",
    "HttpResponse",
    "Job",
    "JobError",
    "NewJob",
    "Payload",
    "Reservation",
    "Verdict",
    "job",
    "plugin",
]
