"""The client of a Gristmill daemon, of the standard library alone.

    from gristmill_client import Client

    client = Client()
    job = client.enqueue("wordcount", "to be or not to be")
    done = client.wait(job.id, timeout=30)
    print(done.state, done.result)

The daemon's address and an access token come from ``GRISTMILL_SERVER`` and ``GRISTMILL_TOKEN``, if
they are not given.
"""

from ._client import Client
from ._errors import Refused, Unreachable
from ._jobs import Job, Page, Verdict

__all__ = ["Client", "Job", "Page", "Refused", "Unreachable", "Verdict"]
