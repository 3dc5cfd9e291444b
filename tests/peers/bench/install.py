"""Installs the peers: nothing but what the lists in tests/peers pin, into a folder of the cache."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PEERS = ROOT / "tests" / "peers"


def cache() -> Path:
    """Where the peers are installed."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "gristmill" / "peers"


def _run(*command: str | Path, folder: Path = ROOT) -> None:
    # stdout is for the table.
    subprocess.run(command, cwd=folder, check=True, stdout=2)


def _put(staging: Path, place: Path) -> None:
    """All of it or nothing."""
    shutil.rmtree(place, ignore_errors=True)
    staging.rename(place)


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()


def _rust() -> list[str]:
    place, manifest = cache() / "rust", PEERS / "rust" / "Cargo.toml"
    build = ["cargo", "build", "--quiet", "--release", "--locked"]
    _run(*build, "--manifest-path", manifest, "--target-dir", place)
    return [str(place / "release" / "gristmill-peers")]


def _node() -> list[str]:
    place, lists = cache() / "node", PEERS / "node"
    if not _same(lists / "package-lock.json", place / "package-lock.json"):
        staging = Path(tempfile.mkdtemp(prefix="node.", dir=cache()))
        for name in ["package.json", "package-lock.json"]:
            shutil.copy(lists / name, staging)
        # Nothing in it is run while it is installed.
        quiet = ["--no-audit", "--no-fund", "--loglevel", "error"]
        _run("npm", "ci", "--ignore-scripts", *quiet, folder=staging)
        _put(staging, place)
    # Beside its packages, where Node looks for them.
    for program in lists.glob("*.js"):
        shutil.copy(program, place)
    return ["node", str(place / "bullmq.js")]


def _python() -> list[str]:
    place, requirements = cache() / "python", PEERS / "python" / "requirements.txt"
    if not _same(requirements, place / "installed.txt"):
        shutil.rmtree(place, ignore_errors=True)
        _run("python3", "-m", "venv", place)
        exactly = ["--no-deps", "--only-binary", ":all:", "--require-hashes"]
        quiet = ["--quiet", "--disable-pip-version-check"]
        _run(place / "bin" / "pip", "install", *quiet, *exactly, "--requirement", requirements)
        shutil.copy(requirements, place / "installed.txt")
    return [str(place / "bin" / "python"), str(PEERS / "python" / "peers.py")]


def _noop() -> list[str]:
    place = cache() / "noop"
    _run("cc", "-O2", "-static", "-o", place, PEERS / "process" / "noop.c")
    return [str(place)]


def programs(wanted: set[str]) -> dict[str, list[str]]:
    """The commands of the programs that are wanted: rust, node, python, noop."""
    cache().mkdir(parents=True, exist_ok=True)
    installers = {"rust": _rust, "node": _node, "python": _python, "noop": _noop}
    return {name: install() for name, install in installers.items() if name in wanted}


def versions() -> dict[str, str]:
    """The pinned version of each peer by its package's name."""
    pins = re.compile(r'^"?([a-z-]+)"?(?: = .*?"=|==|: ")([0-9.]*[0-9])', re.MULTILINE)
    lists = ["rust/Cargo.toml", "node/package.json", "python/requirements.txt"]
    texts = ((PEERS / name).read_text().replace("    ", "") for name in lists)
    return {name: version for text in texts for name, version in pins.findall(text)}
