"""A Redis server of the measurement's own, on a free port and without persistence."""

import contextlib
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator

# As in tests/redis.
PROGRAM_VARIABLE = "GRISTMILL_TEST_REDIS_SERVER"
START_SECONDS_MAX = 10
# A port that was free may be taken a moment later.
STARTS_MAX = 5


class Server:
    """A server that is there."""

    def __init__(self, port: int) -> None:
        self.url = f"redis://127.0.0.1:{port}"
        self._port = port

    def ask(self, command: str) -> str:
        """What it answers to one command, as text."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=30) as connection:
            connection.sendall(command.encode() + b"\r\n")
            with connection.makefile("rb") as reply:
                line = reply.readline().decode().rstrip()
                if not line or line[0] == "-":
                    raise RuntimeError(f"{command}: the server says {line!r}")
                return reply.read(int(line[1:])).decode() if line[0] == "$" else line[1:]

    def flush(self) -> None:
        """Removes everything."""
        self.ask("FLUSHALL SYNC")

    def version(self) -> str:
        """Its program and version."""
        told = dict(line.split(":", 1) for line in self.ask("INFO server").splitlines() if ":" in line)
        name = told.get("server_name", "redis").capitalize()
        return f"{name} {told.get('valkey_version') or told['redis_version']}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _ready(server: Server, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + START_SECONDS_MAX
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError, RuntimeError):
            return server.ask("PING") == "PONG"
        time.sleep(0.02)
    return False


@contextlib.contextmanager
def redis_server() -> Iterator[Server]:
    """Starts one, and ends it."""
    program = os.environ.get(PROGRAM_VARIABLE, "redis-server")
    with tempfile.TemporaryDirectory(prefix="bench-peers.") as folder:
        for _ in range(STARTS_MAX):
            port = _free_port()
            place = ["--port", str(port), "--bind", "127.0.0.1", "--dir", folder]
            without = ["--save", "", "--appendonly", "no"]
            process = subprocess.Popen([program, *place, *without], stdout=subprocess.DEVNULL)
            try:
                if _ready(Server(port), process):
                    yield Server(port)
                    return
            finally:
                process.terminate()
                process.wait()
    raise SystemExit(f"bench-peers: {program} doesn't start")
