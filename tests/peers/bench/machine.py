"""What the measurement runs on, and which versions of what."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

from bench import others
from bench.install import ROOT, versions
from bench.server import Server


def _first_line(*command: str) -> str:
    if not shutil.which(command[0]):
        return "missing"
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return done.stdout.partition("\n")[0].strip()


def _named(path: str, name: str, mark: str) -> str:
    lines = Path(path).read_text().splitlines() if Path(path).exists() else []
    parted = (line.partition(mark) for line in lines)
    return next((value.strip(' "\t') for found, _, value in parted if found.strip() == name), "")


def machine() -> dict[str, str]:
    """Processor, memory and system."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = _named("/proc/cpuinfo", "model name", ":") or platform.machine()
    system = _named("/etc/os-release", "PRETTY_NAME", "=") or platform.system()
    return {
        "processor": f"{os.cpu_count()} cores of {model}",
        "memory": f"{memory:.0f} GiB",
        "system": f"{system}, kernel {platform.release().partition('-')[0]}",
        "load before": ", ".join(f"{load:.2f}" for load in os.getloadavg()),
    }


def all_versions(server: Server) -> dict[str, str]:
    """Those of the peers, and of what all run on."""
    commit = _first_line("git", "describe", "--always", "--dirty")
    return {
        **versions(),
        "server": server.version(),
        "Gristmill": f"{_first_line(others.GRISTMILL, '--version').removeprefix('gristmill ')} ({commit})",
        "Rust": _first_line("rustc", "--version").removeprefix("rustc ").partition(" ")[0],
        "Node": _first_line("node", "--version").removeprefix("v"),
        "Python": platform.python_version(),
    }
