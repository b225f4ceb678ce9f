"""What holds when processes are signalled, killed, forgotten, or the disk is full. All with real processes."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import SCHEDULE
from runs import LAUNCHER, accelerate_command, environment, events_of, execute, make_run, of_type, worker_command

from clara_trainer.launch import start_identity

LONG = {"epochs": 500, "save_steps": 1000}


def spawn(command: list[str], run: Path, **more: Any) -> subprocess.Popen[bytes]:
    with (run / "worker.log").open("wb") as log:
        return subprocess.Popen(
            command, env=environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, **more
        )


def launched(run: Path, processes: int = 1) -> subprocess.Popen[bytes]:
    start = [sys.executable, "-I", str(LAUNCHER), "start", "--run", str(run), "--fence", "1", "--"]
    return spawn([*start, *accelerate_command(run, processes)], run)


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes], run: Path, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, (run / "worker.log").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def has_reached(run: Path, step: int) -> Callable[[], bool]:
    def check() -> bool:
        path = run / "events.jsonl"
        lines = path.read_text().splitlines(keepends=True) if path.exists() else []
        return any(f'"type": "progress", "step": {step},' in line for line in lines if line.endswith("\n"))

    return check


def signal_run(run: Path, name: str) -> dict[str, Any]:
    done = execute([sys.executable, "-I", str(LAUNCHER), "signal", "--run", str(run), name])
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def curve(*runs: Path) -> dict[int, tuple[float, float]]:
    return {
        event["step"]: (event["data"]["loss"], event["data"]["learning_rate"])
        for run in runs
        for event in of_type(run, "progress")
    }


def weights(run: Path) -> str:
    return hashlib.sha256((run / "adapter" / "adapter_model.safetensors").read_bytes()).hexdigest()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_resumed_training_ends_as_the_undisturbed_one(
    tmp_path: Path, tiny: Path, rows: Path, undisturbed: Path, number: signal.Signals
) -> None:
    first = make_run(tmp_path, tiny, rows, training=SCHEDULE)
    worker = spawn(worker_command(first), first)
    wait_for(has_reached(first, 6), worker, first)
    worker.send_signal(number)
    worker.wait(timeout=30)
    checkpoint = of_type(first, "checkpoint")[-1]["data"]["path"]
    if number == signal.SIGTERM:
        assert worker.returncode == 0
        assert events_of(first)[-1]["data"] == {"reason": "signal", "checkpoint": checkpoint}
    second = make_run(tmp_path, tiny, rows, attempt=2, training=SCHEDULE, resume_from=str(first / checkpoint))
    done = execute(worker_command(second))
    assert done.returncode == 0, done.stderr
    assert curve(first, second) == curve(undisturbed)
    assert weights(second) == weights(undisturbed)
    reports = [of_type(run, "finished")[0]["data"]["report"] for run in (second, undisturbed)]
    assert reports[0]["loss"] == reports[1]["loss"]
    assert reports[0]["train_tokens"] == reports[1]["train_tokens"]


def test_a_wish_from_before_the_handler_is_obeyed(tmp_path: Path, tiny: Path, rows: Path) -> None:
    run = make_run(tmp_path, tiny, rows)
    (run / "stop.json").write_text('{"reason": "cancel"}')
    done = execute(worker_command(run), timeout=20)
    assert done.returncode == 0
    assert [event["type"] for event in events_of(run)] == ["stopped"]
    assert events_of(run)[0]["data"] == {"reason": "cancel", "checkpoint": None}


def test_a_signal_while_importing_ends_at_once(tmp_path: Path, tiny: Path, rows: Path) -> None:
    run = make_run(tmp_path, tiny, rows)
    worker = spawn(worker_command(run), run)
    wait_for(lambda: (run / "events.jsonl").exists() and bool(of_type(run, "phase")), worker, run)
    worker.terminate()
    assert worker.wait(timeout=8) == 0
    assert events_of(run)[-1]["type"] == "stopped"


def test_an_unwatched_job_saves_and_ends(tmp_path: Path, tiny: Path, rows: Path) -> None:
    run = make_run(tmp_path, tiny, rows, training=LONG, orphan_seconds=60)
    heartbeat = run.parent / "heartbeat"
    heartbeat.touch()
    worker = spawn(worker_command(run), run)
    wait_for(has_reached(run, 1), worker, run)
    os.utime(heartbeat, (time.time() - 61,) * 2)
    assert worker.wait(timeout=30) == 0
    assert events_of(run)[-1]["data"]["reason"] == "orphan"
    assert (run / events_of(run)[-1]["data"]["checkpoint"]).is_dir()


def test_two_processes_stop_at_the_same_step_and_free_the_lock(tmp_path: Path, tiny: Path, rows: Path) -> None:
    run = make_run(tmp_path, tiny, rows, training=LONG, hardware={"processes": 2})
    launcher = launched(run, processes=2)
    wait_for(has_reached(run, 2), launcher, run)
    assert of_type(run, "started")[0]["data"]["world_size"] == 2
    assert len(signal_run(run, "TERM")["signalled"]) == 2
    assert launcher.wait(timeout=60) == 0
    assert json.loads((run / "exit.json").read_text())["code"] == 0
    assert events_of(run)[-1]["type"] == "stopped"
    assert sorted(path.name for path in (run / events_of(run)[-1]["data"]["checkpoint"]).glob("rng*")) == [
        "rng_state_0.pth",
        "rng_state_1.pth",
    ]


def test_kill_leaves_nothing_of_two_processes(tmp_path: Path, tiny: Path, rows: Path) -> None:
    run = make_run(tmp_path, tiny, rows, training=LONG, hardware={"processes": 2})
    launcher = launched(run, processes=2)
    wait_for(has_reached(run, 2), launcher, run)
    ranks = [json.loads(path.read_text()) for path in (run / "ranks").glob("*.json")]
    assert signal_run(run, "KILL")["held"] is False
    assert launcher.wait(timeout=10) == -signal.SIGKILL
    assert [start_identity(rank["pid"]) for rank in ranks] == [None, None]
    assert not (run / "exit.json").exists()


def test_the_signal_that_killed_the_worker_is_named(tmp_path: Path, tiny: Path, rows: Path) -> None:
    run = make_run(tmp_path, tiny, rows, training=LONG)
    launcher = launched(run)
    wait_for(has_reached(run, 1), launcher, run)
    os.kill(json.loads((run / "ranks" / "0.json").read_text())["pid"], signal.SIGKILL)
    launcher.wait(timeout=30)
    end = json.loads((run / "exit.json").read_text())
    assert (end["code"], end["signal"]) == (None, "SIGKILL")


def test_a_wrong_number_of_processes_is_refused(tmp_path: Path, tiny: Path, rows: Path) -> None:
    run = make_run(tmp_path, tiny, rows, hardware={"processes": 2})
    assert execute(worker_command(run)).returncode == 1
    assert events_of(run)[-1]["data"]["code"] == "world_size"


def test_a_full_disk_is_told(tmp_path: Path, tiny: Path, rows: Path) -> None:
    run = make_run(tmp_path, tiny, rows, adapter={"r": 256}, training={"save_steps": 1})
    limit = 100 * 1024

    def limit_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    worker = spawn(worker_command(run), run, preexec_fn=limit_files)
    assert worker.wait(timeout=120) == 1
    end = events_of(run)[-1]
    assert (end["type"], end["data"]["code"]) == ("failed", "disk_full"), (run / "worker.log").read_text()
    assert not (run / "adapter").exists()
