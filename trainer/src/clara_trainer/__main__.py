"""``accelerate launch -m clara_trainer --run FOLDER``: trains what run.json in the folder says."""

from __future__ import annotations

import logging
import os
import sys
import time
import traceback
import warnings
from pathlib import Path
from types import ModuleType
from typing import cast

from clara_trainer.contract.types import Run
from clara_trainer.device import GPU_OPTIMIZERS
from clara_trainer.events import EventLog
from clara_trainer.failure import TrainingError, code_of, describe, leave_for_rank_0, peer_failure
from clara_trainer.launch import own_record, write_json
from clara_trainer.run_file import load_run
from clara_trainer.stop import StopWish
from clara_trainer.threads import limit_threads

PEER_PATIENCE_SECONDS = 1.0


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or arguments[0] != "--run":
        print("usage: accelerate launch -m clara_trainer --run FOLDER", file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    folder = Path(arguments[1]).absolute()
    rank = int(os.environ.get("RANK", "0"))
    try:
        events = EventLog(folder, rank)
    except (OSError, TrainingError) as error:
        print(f"{error}", file=sys.stderr)
        return 1
    stop = StopWish(folder, events)
    try:
        record_rank(folder, rank)
        stop.end_if_already_wished()
        return work(folder, events, stop)
    except Exception as error:
        traceback.print_exc()
        if several_processes() and stop.is_wished() and code_of(error) == "internal":
            # Another process has already ended as wished, which broke the connection to it.
            stop.end_now()
        report_failure(folder, rank, events, error)
        return 1


def several_processes() -> bool:
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def report_failure(folder: Path, rank: int, events: EventLog, error: Exception) -> None:
    events.release_reserve()
    if rank != 0:
        leave_for_rank_0(folder, rank, describe(error))
        return
    if several_processes():
        # The rank that failed first may not have written its reason yet.
        time.sleep(PEER_PATIENCE_SECONDS)
    events.append("failed", peer_failure(folder) or describe(error))


def record_rank(folder: Path, rank: int) -> None:
    (folder / "ranks").mkdir(exist_ok=True)
    write_json(folder / "ranks" / f"{rank}.json", own_record(rank=rank))


def work(folder: Path, events: EventLog, stop: StopWish) -> int:
    events.keep_reserve()
    run = load_run(folder)
    stop.watch_heartbeat(run["orphan_seconds"])
    check_world_size(run)
    limit_threads(run["hardware"]["processes"])
    events.append("phase", {"phase": "importing"})
    quieten()
    if run["quantization"] is None and run["training"]["optimizer"] not in GPU_OPTIMIZERS:
        # Nothing of bitsandbytes is needed then, and PEFT would spend over a second on importing it.
        sys.modules["bitsandbytes"] = cast(ModuleType, None)
    from clara_trainer.train import train

    train(run, folder, events, stop)
    events.release_reserve()
    return 0


def quieten() -> None:
    """The log is for what a user can act on: no progress bars, no advice to developers of the libraries."""
    os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"
    warnings.simplefilter("ignore", FutureWarning)
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)


def check_world_size(run: Run) -> None:
    found, wanted = int(os.environ.get("WORLD_SIZE", "1")), run["hardware"]["processes"]
    if found != wanted:
        raise TrainingError(
            "world_size",
            f"{wanted} processes were asked for, but {found} run. With several processes, accelerate needs "
            "--multi_gpu --num_machines 1 (also on CPU, with ACCELERATE_USE_CPU=true).",
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
