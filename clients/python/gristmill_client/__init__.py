"""The client of a Gristmill daemon, of the standard library alone.

    from gristmill_client import Client

    client = Client()
    job = client.enqueue("wordcount", "to be or not to be")
    done = client.wait(job.id, timeout=30)
    print(done.state, done.result)

Queues, plugins, the cache and workers have their calls under the client's fields of these names, and
``client.events()`` tells what happens.

The daemon's address and an access token come from ``GRISTMILL_SERVER`` and ``GRISTMILL_TOKEN``, if
they are not given.
"""

from ._client import Client
from ._errors import Refused, Unreachable
from ._events import Event
from ._jobs import Job, Page, Verdict

__all__ = ["Client", "Event", "Job", "Page", "Refused", "Unreachable", "Verdict"]
