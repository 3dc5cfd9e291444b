"""Where things are at a daemon."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode


def path(*steps: str) -> str:
    """The path of something below ``/v1``."""
    return "/v1/" + "/".join(quote(str(step), safe="") for step in steps)


def asking(of: str, **query: Any) -> str:
    """A path with what is asked of it, as far as it is."""
    asked = urlencode({key: value for key, value in query.items() if value is not None})
    return f"{of}?{asked}" if asked else of
