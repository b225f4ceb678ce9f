"""The launcher with commands that cost nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from runs import LAUNCHER

from clara_trainer.launch import start_identity

LAUNCH = [sys.executable, "-I", str(LAUNCHER)]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "job" / "1"
    folder.mkdir(parents=True)
    return folder


def start(run: Path, *command: str, fence: int = 1) -> subprocess.Popen[str]:
    arguments = [*LAUNCH, "start", "--run", str(run), "--fence", str(fence), "--", *command]
    return subprocess.Popen(arguments, start_new_session=True, stderr=subprocess.PIPE, text=True)


def probe(run: Path) -> dict[str, Any]:
    answer = subprocess.run([*LAUNCH, "probe", str(run.parent)], capture_output=True, text=True, check=True).stdout
    found: dict[str, Any] = json.loads(answer)
    return found


def wait_until_held(run: Path) -> None:
    for _ in range(500):
        if (run / "launcher.json").exists():
            return
        time.sleep(0.01)
    raise AssertionError("the launcher did not start")


def test_the_exit_code_is_written(run: Path) -> None:
    assert start(run, "sh", "-c", "exit 3").wait() == 0
    end = json.loads((run / "exit.json").read_text())
    assert (end["code"], end["signal"]) == (3, None)


def test_a_signal_is_written_by_name(run: Path) -> None:
    start(run, "sh", "-c", "kill -KILL $$").wait()
    end = json.loads((run / "exit.json").read_text())
    assert (end["code"], end["signal"]) == (None, "SIGKILL")


def test_a_command_that_does_not_exist(run: Path) -> None:
    start(run, "/does/not/exist").wait()
    assert json.loads((run / "exit.json").read_text())["code"] == 127


def test_one_job_runs_once(run: Path) -> None:
    first = start(run, "sleep", "60")
    wait_until_held(run)
    found = probe(run)
    assert (found["held"], found["pid"]) == (True, first.pid)
    second = start(run, "true")
    assert second.wait() == 75
    assert second.stderr is not None
    assert "is held" in second.stderr.read()
    subprocess.run([*LAUNCH, "signal", "--run", str(run), "KILL"], check=True, capture_output=True)
    first.wait(timeout=5)
    assert probe(run) == {"folder": str(run.parent), "held": False, "pid": None}


def test_the_lock_is_held_by_a_grandchild_in_its_own_session_until_it_is_killed(run: Path) -> None:
    orphan = "import subprocess; subprocess.Popen(['sleep', '60'], start_new_session=True)"
    launcher = start(run, sys.executable, "-c", orphan)
    launcher.wait(timeout=10)
    assert probe(run)["held"] is True
    subprocess.run([*LAUNCH, "signal", "--run", str(run), "KILL"], check=True, capture_output=True)
    assert probe(run)["held"] is False


def test_a_superseded_attempt_does_not_start(run: Path) -> None:
    (run.parent / "fence").write_text("5")
    assert start(run, "touch", str(run / "ran"), fence=4).wait() == 76
    assert start(run, "touch", str(run / "ran"), fence=5).wait() == 0
    assert start(run, "true", fence=6).wait() == 76
    assert (run / "ran").exists()


def test_probing_does_not_keep_a_start_from_the_lock(run: Path) -> None:
    command = f"while :; do {' '.join(LAUNCH)} probe {run.parent} > /dev/null; done"
    prober = subprocess.Popen(["sh", "-c", command], start_new_session=True)
    try:
        for number in range(1, 6):
            folder = run.parent / str(number)
            folder.mkdir(exist_ok=True)
            assert start(folder, "true").wait() == 0
    finally:
        os.killpg(prober.pid, signal.SIGKILL)
        prober.wait()


def test_sigterm_does_not_end_the_launcher(run: Path) -> None:
    launcher = start(run, "sleep", "0.5")
    wait_until_held(run)
    launcher.terminate()
    assert launcher.wait() == 0
    assert json.loads((run / "exit.json").read_text())["code"] == 0


def test_a_process_is_told_from_a_later_one_of_its_number() -> None:
    child = subprocess.Popen(["sleep", "60"])
    identity = start_identity(child.pid)
    assert identity is not None
    child.kill()
    time.sleep(0.05)
    assert start_identity(child.pid) is None
    child.wait()
    assert start_identity(child.pid) != identity


def test_a_job_without_folder_is_not_running(tmp_path: Path) -> None:
    assert probe(tmp_path / "nowhere" / "1") == {"folder": str(tmp_path / "nowhere"), "held": False, "pid": None}
