"""A job's function, a plugin's table of them, and the way from the host's call to one."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, get_type_hints, overload

from ._ctx import Ctx
from ._errors import JobError
from ._host import Host
from ._payload import BYTES, JSON, TEXT, Payload, nothing, to_payload
from ._typed import takes_nothing

_Schema = dict[str, Any]

try:
    from . import _sandbox
except ModuleNotFoundError:
    # There are no bindings outside of components: tests bring a host of their own.
    _sandbox = None  # type: ignore[assignment]


class Job:
    """A function that jobs can call. Called itself, it is the function still."""

    def __init__(
        self,
        function: Callable[..., Any],
        name: str | None,
        accepts: Sequence[str] | None,
        returns: str | None,
        input: _Schema | None,
        output: _Schema | None,
    ) -> None:
        self.function = function
        self.name = name or function.__name__
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        self._input = input
        self._output = output
        self._read_signature()
        self._accepts = accepts if accepts is not None else self._fitting()
        self._returns = returns or self._giving()

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.function(*arguments, **named)

    def _read_signature(self) -> None:
        """`ctx` first, or one input, or both in this order, or nothing."""
        hints = get_type_hints(self.function)
        parameters = list(inspect.signature(self.function).parameters.values())
        first = parameters[0] if parameters else None
        self._takes_ctx = first is not None and (
            hints.get(first.name) is Ctx or (first.name == "ctx" and first.name not in hints)
        )
        rest = parameters[1:] if self._takes_ctx else parameters
        needed = [one for one in rest if one.default is inspect.Parameter.empty]
        if len(needed) > 1 or any(one.kind is one.KEYWORD_ONLY for one in needed):
            raise TypeError(f"the job {self.name!r} takes a Ctx and one input at most")
        self._parameter = rest[0] if rest else None
        self._kind = hints.get(rest[0].name, Any) if rest else None
        self._given = hints.get("return", Any)

    def _fitting(self) -> list[str] | None:
        """The media types that fit; None where any does."""
        if self._parameter is None:
            return []
        if self._kind is str:
            return ["text/*", JSON]
        # Only where any fits may the input be absent.
        any_fits = self._kind in (bytes, Payload) or takes_nothing(self._kind)
        return None if any_fits or self._may_be_left_out() else [JSON, "text/*"]

    def _may_be_left_out(self) -> bool:
        return self._parameter is not None and (
            self._parameter.default is not inspect.Parameter.empty
        )

    def _giving(self) -> str | None:
        if self._output is not None:
            return JSON
        known = {str: TEXT, bytes: BYTES}
        if self._given in (Any, None, type(None), Payload):
            return None
        return known.get(self._given, JSON)

    def description(self) -> dict[str, Any]:
        """What `describe` says of it."""
        said = {
            "name": self.name,
            "summary": " ".join((inspect.getdoc(self) or "").split("\n\n")[0].split()),
            "accepts": None if self._accepts is None else list(self._accepts),
            "returns": self._returns,
            "input": self._input,
            "output": self._output,
        }
        return {key: value for key, value in said.items() if value is not None and value != ""}

    def run(self, host: Host, input: Payload) -> Payload | None:
        """One attempt, from payload to payload."""
        arguments: list[Any] = [Ctx(host)] if self._takes_ctx else []
        if self._parameter is None:
            nothing(input)
        elif not (input.is_absent and self._may_be_left_out()):
            arguments.append(input.parse(self._kind))
        result = self.function(*arguments)
        if inspect.iscoroutine(result):
            result.close()
            message = f"the job {self.name} is async: jobs are plain functions"
            raise JobError.fatal(message, code="async")
        return to_payload(result)


@overload
def job(function: Callable[..., Any], /) -> Job: ...
@overload
def job(
    *,
    name: str | None = None,
    accepts: Sequence[str] | None = None,
    returns: str | None = None,
    input: _Schema | None = None,
    output: _Schema | None = None,
) -> Callable[[Callable[..., Any]], Job]: ...
def job(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    accepts: Sequence[str] | None = None,
    returns: str | None = None,
    input: _Schema | None = None,
    output: _Schema | None = None,
) -> Any:
    """Makes a function one that jobs can call.

    It takes a `Ctx`, or one input, or both in this order, or nothing. Its annotations say how the
    input is read, and its documentation what is said of it. `name` names it otherwise than the code
    does; `accepts` and `returns` are media types, `input` and `output` JSON Schemas.
    """

    def made(function: Callable[..., Any]) -> Job:
        return Job(function, name, accepts, returns, input, output)

    return made if function is None else made(function)


def describe(jobs: Sequence[Job]) -> str:
    """The document that a plugin describes itself with."""
    return json.dumps({"functions": [job.description() for job in jobs]}, ensure_ascii=False)


def dispatch(
    jobs: Sequence[Job], host: Host, name: str, input: Payload
) -> Payload | None:
    """One attempt of a job that calls the function of this name; its failure is a JobError."""
    found = next((job for job in jobs if job.name == name), None)
    try:
        if found is None:
            known = ", ".join(json.dumps(job.name) for job in jobs)
            message = f"no function {json.dumps(name)}; this plugin has {known}"
            raise JobError.fatal(message, code="unknown-function")
        return found.run(host, input)
    except (Exception, SystemExit) as error:
        raise JobError.from_exception(error) from None


def plugin(*jobs: Job) -> tuple[type, type]:
    """Makes a component of jobs: the classes `Handler` and `Describe` of the main module."""
    for one in jobs:
        if not isinstance(one, Job):
            raise TypeError(f"{one!r} is no job: mark the function with @job")
    names = [job.name for job in jobs]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise TypeError(f"two functions of this plugin have the name {twice!r}")

    class Handler:
        def handle(self, function: str, input: Any) -> Any:
            _take_chance()
            try:
                given = Payload(input.content_type, input.data)
                result = dispatch(jobs, _sandbox.SANDBOX, function, given)
            except JobError as error:
                raise _sandbox.failure(error) from None
            return None if result is None else _sandbox.payload(result)

    class Describe:
        def describe(self) -> str:
            return describe(jobs)

    if _sandbox is not None:
        _sandbox.take_logging()
    return Handler, Describe


def _take_chance() -> None:
    """A component starts every attempt as it was when it was built: chance has to come anew."""
    random = sys.modules.get("random")
    if random is not None:
        random.seed(_sandbox.SANDBOX.random(32))
