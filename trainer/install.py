"""Makes the trainer's Python environment once per cache folder, lock file and Python version.

Run with any Python >= 3.11: ``python3 trainer/install.py --cache DIR [--dev]``. Standard library only.
Prints one JSON object a line, ``{"phase", "message", "done"}``; the last one on success also holds
``python`` (absolute path). On failure the last line holds ``error`` (python|venv|disk|network|install)
and the exit status is 1. A virtual environment cannot be moved, so it is built in place and counts only
once its marker file is there; one process builds while the others wait on a file lock.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

UV = "uv==0.13.9"
MINIMUM_PYTHON = (3, 11)
NEEDED_BYTES = 7 * 1000**3
NEEDED_DEV_BYTES = 300 * 1000**2
HERE = Path(__file__).resolve().parent
LOCK = HERE / "requirements.lock"
DEV_LOCK = HERE / "requirements-dev.lock"
MARKER = ".complete.json"
HEARTBEAT_SECONDS = 5.0


class InstallError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def say(phase: str, message: str, done: bool = False, **more: object) -> None:
    print(json.dumps({"phase": phase, "message": message, "done": done, **more}), flush=True)


def default_cache() -> Path:
    named = os.environ.get("CLARA_CACHE_DIR")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clara"


def digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:12]


def environment_folder(cache: Path) -> Path:
    version = f"{sys.version_info[0]}.{sys.version_info[1]} {sys.platform} {platform.machine()}"
    return cache / f"trainer-{digest(LOCK.read_bytes(), version.encode())}"


def python_of(folder: Path) -> Path:
    return folder / "bin" / "python"


def is_complete(folder: Path, dev: bool) -> bool:
    """True when the marker is there and the interpreter that the environment links to still is."""
    try:
        marker = json.loads((folder / MARKER).read_text())
    except (OSError, ValueError):
        return False
    wanted = digest(DEV_LOCK.read_bytes()) if dev else marker.get("dev")
    return python_of(folder).exists() and marker.get("dev") == wanted


def write_marker(folder: Path, dev: bool) -> None:
    partial = folder / (MARKER + ".partial")
    partial.write_text(json.dumps({"dev": digest(DEV_LOCK.read_bytes()) if dev else None}))
    os.replace(partial, folder / MARKER)


def check_python() -> None:
    if sys.version_info < MINIMUM_PYTHON:
        raise InstallError(
            "python",
            f"Python {platform.python_version()} ({sys.executable}) is too old: the trainer needs "
            f"{MINIMUM_PYTHON[0]}.{MINIMUM_PYTHON[1]} or newer. Install it and call it by its name, e.g. python3.12.",
        )
    if sys.platform == "win32":
        raise InstallError("python", "Training does not run on Windows itself: use WSL 2, Linux or macOS.")


def check_venv() -> None:
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as error:
        package = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
        raise InstallError(
            "venv",
            f"{sys.executable} lacks the module {error.name}. On Debian and Ubuntu: apt-get install {package}",
        ) from error


def check_disk(cache: Path, needed: int) -> None:
    free = shutil.disk_usage(cache).free
    if free < needed:
        raise InstallError(
            "disk",
            f"{cache} has {free / 1e9:.1f} GB free, the trainer's environment needs {needed / 1e9:.1f} GB. "
            "Free some space, or name another folder with CLARA_CACHE_DIR.",
        )


def failure(command: list[str], output: str) -> InstallError:
    last = "\n".join(output.strip().splitlines()[-12:])
    if re.search(r"No space left on device|os error 28|Errno 28|Disk quota", output):
        return InstallError("disk", f"The disk is full.\n{last}")
    if re.search(
        r"dns error|error sending request|Failed to fetch|Could not connect|Connection|timed out|"
        r"Temporary failure|No matching distribution",
        output,
    ):
        return InstallError(
            "network",
            "The Python package index could not be reached. Check the network, or name a mirror with "
            f"UV_DEFAULT_INDEX and PIP_INDEX_URL.\n{last}",
        )
    return InstallError("install", f"{' '.join(command[:4])} failed.\n{last}")


def run(phase: str, command: list[str], lock_fd: int) -> None:
    """Runs a command, passing its lines on and a sign of life in between.

    The child inherits the lock: should this process be killed, nobody rebuilds under the child's hands.
    """
    environment = {**os.environ, "VIRTUAL_ENV": "", "PYTHONPATH": "", "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}
    if environment.get("PIP_INDEX_URL"):
        environment.setdefault("UV_DEFAULT_INDEX", environment["PIP_INDEX_URL"])
    child = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        pass_fds=(lock_fd,),
        stdin=subprocess.DEVNULL,
    )
    finished = threading.Event()
    threading.Thread(target=heartbeat, args=(phase, finished), daemon=True).start()
    lines: list[str] = []
    try:
        for line in child.stdout or ():
            lines.append(line)
            if line.strip():
                say(phase, line.strip())
        if child.wait() != 0:
            raise failure(command, "".join(lines))
    finally:
        finished.set()
        if child.poll() is None:
            child.terminate()
            child.wait()


def heartbeat(phase: str, finished: threading.Event) -> None:
    started = time.monotonic()
    while not finished.wait(HEARTBEAT_SECONDS):
        say(phase, f"Still at work after {time.monotonic() - started:.0f} s")


def ensure_uv(cache: Path, lock_fd: int) -> Path:
    folder = cache / f"uv-{digest(UV.encode(), sys.version.encode())}"
    if not (folder / MARKER).exists():
        shutil.rmtree(folder, ignore_errors=True)
        say("uv", "Installing the package installer uv")
        run("uv", [sys.executable, "-I", "-m", "venv", str(folder)], lock_fd)
        run("uv", [str(python_of(folder)), "-m", "pip", "install", "-q", "--disable-pip-version-check", UV], lock_fd)
        write_marker(folder, dev=False)
    return folder / "bin" / "uv"


def build(cache: Path, folder: Path, dev: bool, lock_fd: int) -> None:
    check_venv()
    base_there = is_complete(folder, dev=False)
    check_disk(cache, NEEDED_DEV_BYTES if base_there else NEEDED_BYTES)
    uv = ensure_uv(cache, lock_fd)
    shared = ["--compile-bytecode", "--python", str(python_of(folder))]
    # uv links files from its cache into the environment, which only works within one file system.
    os.environ.setdefault("UV_CACHE_DIR", str(cache / "uv-cache"))
    if not base_there:
        shutil.rmtree(folder, ignore_errors=True)
        say("packages", "Installing PyTorch and the training libraries (about 5 GB, one to five minutes)")
        run("packages", [sys.executable, "-I", "-m", "venv", "--without-pip", str(folder)], lock_fd)
        run("packages", [str(uv), "pip", "sync", *shared, str(LOCK)], lock_fd)
        write_marker(folder, dev=False)
    if dev:
        say("tools", "Installing ruff, mypy and pytest")
        run("tools", [str(uv), "pip", "install", *shared, "-r", str(DEV_LOCK)], lock_fd)
        write_marker(folder, dev=True)


def take_lock(path: Path) -> int:
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("waiting", "Another process is installing the trainer's environment")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def install(cache: Path, dev: bool) -> Path:
    check_python()
    folder = environment_folder(cache)
    if is_complete(folder, dev):
        return python_of(folder)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock_fd = take_lock(cache / "trainer.lock")
    except OSError as error:
        raise InstallError(
            "install",
            f"The cache folder {cache} cannot be used: {error.strerror}. Name another one with CLARA_CACHE_DIR.",
        ) from error
    try:
        if not is_complete(folder, dev):
            build(cache, folder, dev, lock_fd)
    finally:
        os.close(lock_fd)
    return python_of(folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=None, help="default: CLARA_CACHE_DIR, else ~/.cache/clara")
    parser.add_argument("--dev", action="store_true", help="also ruff, mypy and pytest")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        python = install((arguments.cache or default_cache()).expanduser().absolute(), arguments.dev)
    except InstallError as error:
        say("failed", str(error), error=error.code)
        return 1
    except OSError as error:
        say("failed", f"{error}", error="disk" if error.errno == 28 else "install")
        return 1
    say("ready", "The trainer's environment is ready", done=True, python=str(python))
    return 0


if __name__ == "__main__":
    sys.exit(main())
