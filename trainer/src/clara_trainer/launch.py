"""Starts, finds and signals a training. Run as a file with ``python3 -I``; standard library only.

    launch.py start --run ATTEMPT --fence N -- COMMAND...   exit 75: lock held; 76: superseded
    launch.py probe JOB...                                  a JSON line per job folder
    launch.py signal --run ATTEMPT TERM|KILL                a JSON line

The lock file of the job is the standard input of every process of the training, so the lock (flock) is
free exactly when the last of them is gone, however it died. What a start does not need before the training
runs is imported where it is used: it costs 20 ms that every job would wait for.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any, NoReturn

EXIT_LOCKED = 75
EXIT_SUPERSEDED = 76
EXIT_NOT_STARTED = 127
LOCK_PATIENCE_SECONDS = 0.5
RANKS_PATIENCE_SECONDS = 30.0
KILL_PATIENCE_SECONDS = 5.0
POLL_SECONDS = 0.02


def now() -> str:
    seconds, milliseconds = divmod(time.time_ns() // 1_000_000, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{milliseconds:03d}Z"


def read_text(path: str) -> str:
    with open(path) as file:
        return file.read()


def start_identity(pid: int) -> str | None:
    """What tells a process from a later one with the same number; None when there is no such process."""
    try:
        stat = read_text(f"/proc/{pid}/stat")
        # The name, in brackets, may hold spaces; after it come the state (Z: dead, not yet reaped) and 18 more fields.
        fields = stat.rsplit(")", 1)[1].split()
        if fields[0] in "ZX":
            return None
        boot = read_text("/proc/sys/kernel/random/boot_id").strip()
        return f"{boot}:{fields[19]}"
    except FileNotFoundError:
        if os.path.exists("/proc/self/stat"):
            return None
    except (ProcessLookupError, IndexError):
        return None
    import subprocess

    shown = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = shown.stdout.strip().partition(" ")
    return started.strip() if started and not state.startswith("Z") else None


def own_record(**more: object) -> dict[str, Any]:
    return {"pid": os.getpid(), "pgid": os.getpgrp(), "start": start_identity(os.getpid()), **more}


def write_json(path: Path, value: object) -> None:
    """Replaces the file in one step; after a crash of the machine the old or the new text is there, whole."""
    import json

    partial = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        os.write(descriptor, json.dumps(value).encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    os.replace(partial, path)


def read_json(path: Path) -> dict[str, Any] | None:
    import json

    try:
        value = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def is_alive(record: dict[str, Any]) -> bool:
    return record["start"] is not None and start_identity(record["pid"]) == record["start"]


def living_ranks(run: Path) -> list[dict[str, Any]]:
    records = [read_json(path) for path in sorted((run / "ranks").glob("*.json"))]
    return [record for record in records if record and is_alive(record)]


def lock_is_held(job: Path) -> bool:
    try:
        descriptor = os.open(job / "worker.lock", os.O_RDONLY)
    except (FileNotFoundError, NotADirectoryError):
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def take_lock(job: str) -> int | None:
    """The lock's descriptor. A probe holds the lock shared for an instant, so one refusal is not the answer."""
    descriptor = os.open(os.path.join(job, "worker.lock"), os.O_RDWR | os.O_CREAT, 0o644)
    deadline = time.monotonic() + LOCK_PATIENCE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                return None
            time.sleep(POLL_SECONDS)


def refuse(code: int, message: str) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(code)


def newest_fence(job: str) -> int:
    try:
        return int(read_text(os.path.join(job, "fence")))
    except FileNotFoundError:
        return 0


def start(folder: str, fence: int, command: list[str]) -> int:
    job = os.path.dirname(folder)
    descriptor = take_lock(job)
    if descriptor is None:
        refuse(EXIT_LOCKED, f"{job}/worker.lock is held: a process of this job is still running")
    if newest_fence(job) > fence:
        refuse(EXIT_SUPERSEDED, f"fence {fence} is older than {newest_fence(job)}: this attempt is superseded")
    if os.path.exists(os.path.join(folder, "exit.json")):
        refuse(EXIT_SUPERSEDED, f"{folder} has already ended")
    # accelerate closes every inherited descriptor but the standard ones, so the lock travels as standard input.
    os.dup2(descriptor, 0)
    os.close(descriptor)
    # Ignored here and, by inheritance, in accelerate's own process, which so outlives the worker that saves.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    worker = spawn(command)
    run = folder_of(folder)
    # From here on also the held lock tells that the attempt runs.
    write_json(run / "launcher.json", own_record(time=now()))
    status = os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) if worker else EXIT_NOT_STARTED
    end_left_over_ranks(run)
    code, name = (None, signal.Signals(-status).name) if status < 0 else (status, signal_in_log(run, status))
    write_json(run / "exit.json", {"code": None if name else code, "signal": name, "time": now()})
    return 0


def spawn(command: list[str]) -> int | None:
    """As subprocess would, with the signals that Python itself ignores set back, but without its import."""
    try:
        return os.posix_spawnp(command[0], command, os.environ, setsigdef=[signal.SIGPIPE, signal.SIGXFSZ])
    except OSError as error:
        print(f"{command[0]} cannot be started: {error.strerror}", file=sys.stderr)
        return None


def end_left_over_ranks(run: Path) -> None:
    """A rank whose parent died may still be saving; past the patience it is killed, for the exit must be final."""
    deadline = time.monotonic() + RANKS_PATIENCE_SECONDS
    while living_ranks(run):
        for record in living_ranks(run):
            late = time.monotonic() > deadline
            send(record["pid"], signal.SIGKILL if late else signal.SIGTERM)
        time.sleep(0.1)


def signal_in_log(run: Path, status: int) -> str | None:
    """accelerate reports a worker killed by a signal as exit code 1; only its last words name the signal."""
    if status == 0:
        return None
    try:
        with (run / "worker.log").open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 8192))
            tail = log.read().decode(errors="replace")
    except OSError:
        return None
    import re

    found = re.findall(r"died with <Signals\.(SIG[A-Z0-9]+)|Signal \d+ \((SIG[A-Z0-9]+)\) received by PID", tail)
    return next(filter(None, found[-1])) if found else None


def probe(job: Path) -> dict[str, Any]:
    attempts = sorted((path for path in job.glob("*/launcher.json")), key=lambda path: attempt_number(path.parent))
    record = read_json(attempts[-1]) if attempts else None
    pid = record["pid"] if record and is_alive(record) else None
    return {"folder": str(job), "held": lock_is_held(job), "pid": pid}


def attempt_number(folder: Path) -> int:
    return int(folder.name) if folder.name.isdigit() else -1


def holders(job: Path) -> list[int]:
    """Processes of this job by what cannot lie: their standard input is the lock file."""
    if not os.path.exists("/proc/self/fd"):
        import subprocess

        shown = subprocess.run(["lsof", "-t", str(job / "worker.lock")], capture_output=True, text=True, check=False)
        return [int(pid) for pid in shown.stdout.split()]
    lock = os.stat(job / "worker.lock")
    found = []
    for entry in os.listdir("/proc"):
        held = stat_or_none(f"/proc/{entry}/fd/0") if entry.isdigit() else None
        if held and (held.st_dev, held.st_ino) == (lock.st_dev, lock.st_ino):
            found.append(int(entry))
    return found


def stat_or_none(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def send(pid: int, number: signal.Signals, group: bool = False) -> bool:
    try:
        (os.killpg if group else os.kill)(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def terminate(run: Path) -> list[int]:
    """Only the ranks are asked: torchrun's agent would end its ranks by force, they end it by ending."""
    return [record["pid"] for record in living_ranks(run) if send(record["pid"], signal.SIGTERM)]


def kill(run: Path) -> list[int]:
    """Until nothing holds the lock: the groups (data loader workers have their own input), then every holder."""
    killed: set[int] = set()
    deadline = time.monotonic() + KILL_PATIENCE_SECONDS
    while True:
        launcher = read_json(run / "launcher.json")
        records = living_ranks(run) + ([launcher] if launcher and is_alive(launcher) else [])
        killed.update(record["pgid"] for record in records if send(record["pgid"], signal.SIGKILL, group=True))
        if not lock_is_held(run.parent):
            return sorted(killed)
        killed.update(pid for pid in holders(run.parent) if send(pid, signal.SIGKILL))
        if time.monotonic() > deadline:
            return sorted(killed)
        time.sleep(POLL_SECONDS)


def signal_run(run: Path, name: str) -> dict[str, Any]:
    signalled = terminate(run) if name == "TERM" else kill(run)
    return {"signalled": signalled, "held": lock_is_held(run.parent)}


def folder_of(path: str) -> Path:
    from pathlib import Path

    return Path(path).absolute()


def print_lines(values: list[dict[str, Any]]) -> None:
    import json

    for value in values:
        print(json.dumps(value))


def main(arguments: list[str]) -> int:
    if sys.platform == "win32":
        refuse(2, "Training does not run on Windows itself: use WSL 2, Linux or macOS.")
    match arguments:
        case ["start", "--run", folder, "--fence", fence, "--", *command] if command:
            return start(os.path.abspath(folder), int(fence), command)
        case ["probe", *jobs]:
            print_lines([probe(folder_of(job)) for job in jobs])
            return 0
        case ["signal", "--run", run, ("TERM" | "KILL") as name]:
            print_lines([signal_run(folder_of(run), name)])
            return 0
    refuse(2, str(__doc__))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
