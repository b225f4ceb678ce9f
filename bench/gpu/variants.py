"""What makes a training on a GPU quick: the same run by a plain TRL script and by CLARA's trainer, piece by piece.

usage: variants.py 1b|3b|8b|tiny FOLDER [STEPS [VARIANT;VARIANT…]]
Needs the trainer's packages, and no application. Says a line for each variant, and writes FOLDER/results.json.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
TRAINER = HERE.parents[1] / "trainer"
sys.path[:0] = [str(TRAINER / "tests"), str(TRAINER / "src")]

from runs import QUANTIZATION, events_of, make_run  # noqa: E402

WARM_UP_STEPS = 5
LONG_STEPS = 6
LONGEST_SECONDS = 240
ROWS = 4000
LONG_ROWS = 120
BATCH = {"batch_size": 8, "gradient_accumulation_steps": 2, "learning_rate": 2e-4, "save_steps": 100_000}
PADDED = {"model": {"attention": "sdpa"}}
WHOLE = {"training": {"gradient_checkpointing": False}}
CHECKPOINTS = {"training": {"gradient_checkpointing": True}}
PACKED = {"data": {"packing": True}}
UNEVEN: dict[str, list[dict[str, Any]]] = {
    "as padded rows": [PADDED, CHECKPOINTS],
    "without padding": [CHECKPOINTS],
    "without padding or checkpoints": [WHOLE],
    "packed": [PACKED, CHECKPOINTS],
    "packed, without checkpoints": [PACKED, WHOLE],
    "as it is": [],
}
FULL: dict[str, list[dict[str, Any]]] = {"full rows": [CHECKPOINTS], "full rows, without checkpoints": [WHOLE]}


def merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            result[name] = {**result.get(name, {}), **value}
    return result


def execute(command: list[str], log: Path) -> bool:
    environment = {**os.environ, "PYTHONPATH": f"{TRAINER / 'src'}:{os.environ.get('PYTHONPATH', '')}"}
    with log.open("w") as file:
        try:
            done = subprocess.run(
                command, stdout=file, stderr=subprocess.STDOUT, env=environment, timeout=LONGEST_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return False
    return done.returncode == 0


def run_of(folder: Path, name: str, kind: str, changes: dict[str, Any], steps: int) -> Path:
    rows = folder / "model" / ("long.jsonl" if name.startswith("full") else "rows.jsonl")
    more = {
        **changes,
        "adapter": {"r": 16, "alpha": 32, "dropout": 0.0},
        "data": {"validation_split": 0, "max_length": 1024, "remove_duplicates": False, **changes.get("data", {})},
        "training": {**BATCH, "max_steps": steps, **changes.get("training", {})},
        "hardware": {"gpus": [0] if on_gpu() else []},
        "quantization": QUANTIZATION if kind == "qlora" else None,
        "trainer_type": kind,
    }
    return make_run(folder / f"{kind}-{name.replace(' ', '-').replace(',', '')}", folder / "model", rows, **more)


def on_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def by_clara(run: Path) -> dict[str, Any]:
    if not execute([sys.executable, "-m", "clara_trainer", "--run", str(run)], run / "log"):
        return {"failed": (run / "log").read_text()[-1500:]}
    events = events_of(run)
    started = next(event["data"] for event in events if event["type"] == "started")
    progress = [event for event in events if event["type"] == "progress"]
    points = [
        {"time": stamp(event["time"]), "tokens": event["data"]["tokens_seen"], "loss": event["data"]["loss"]}
        for event in progress
    ]
    report = events[-1]["data"]["report"]
    return {
        **figures(points),
        "peak_gpu_bytes": report["peak_memory_bytes"]["gpu"],
        "attention": started["attention"],
        "warnings": started["warnings"],
    }


def stamp(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def by_trl(run: Path, out: Path) -> dict[str, Any]:
    log = run / "log"
    if not execute([sys.executable, str(HERE / "plain_trl.py"), str(run / "run.json"), str(out)], log):
        return {"failed": log.read_text()[-1500:]}
    found = json.loads(log.read_text().strip().splitlines()[-1])
    return {**figures(found["points"]), "peak_gpu_bytes": found["peak_gpu_bytes"]}


def figures(points: list[dict[str, float]]) -> dict[str, Any]:
    first, last = points[min(WARM_UP_STEPS, len(points) - 2)], points[-1]
    return {
        "tokens_per_second": (last["tokens"] - first["tokens"]) / (last["time"] - first["time"]),
        "tokens": last["tokens"],
        "losses": [round(point["loss"], 3) for point in points],
        "loss_at_the_end": median(point["loss"] for point in points[-5:]),
    }


def make_long_rows(path: Path) -> None:
    """Rows longer than the limit, so that each is cut to it."""
    row = {"messages": [{"role": "user", "content": "Frage"}, {"role": "assistant", "content": "Bescheid und " * 120}]}
    path.write_text("\n".join(json.dumps(row) for _ in range(LONG_ROWS)))


def show(name: str, found: dict[str, Any], plain: dict[str, Any]) -> None:
    if "failed" in found:
        print(f"{name}: failed: {found['failed']}", flush=True)
        return
    ratio = found["tokens_per_second"] / plain["tokens_per_second"] if "tokens_per_second" in plain else float("nan")
    gigabytes = (found["peak_gpu_bytes"] or 0) / 1e9
    print(
        f"{name:45} {found['tokens_per_second']:9.0f} tokens/s  x{ratio:.2f}  {gigabytes:6.2f} GB  "
        f"loss {found['loss_at_the_end']:.3f}  {found.get('attention', '')}",
        flush=True,
    )
    for warning in found.get("warnings", []):
        print(f"    {warning}", flush=True)


def main(size: str, folder: Path, steps: int, only: list[str]) -> None:
    make = [sys.executable, str(HERE / "make_model.py"), str(folder / "model"), size, str(ROWS)]
    folder.mkdir(parents=True, exist_ok=True)
    if not execute(make, folder / "make.log"):
        raise SystemExit((folder / "make.log").read_text()[-2000:])
    make_long_rows(folder / "model" / "long.jsonl")
    results: dict[str, Any] = {}
    for kind in ("lora", "qlora"):
        plain: dict[str, Any] = {}
        for turn in ("plain TRL", *UNEVEN, "plain TRL again", *FULL):
            if only and turn not in only:
                continue
            changes = merged({**UNEVEN, **FULL}.get(turn, []))
            run = run_of(folder, turn, kind, changes, LONG_STEPS if turn in FULL else steps)
            name = f"{kind}, {turn}"
            found = by_trl(run, folder / f"trl-{kind}") if turn.startswith("plain") else by_clara(run)
            plain = plain or found
            results[name] = found
            show(name, found, plain)
            (folder / "results.json").write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    chosen = sys.argv[4].split(";") if len(sys.argv) > 4 else []
    main(sys.argv[1], Path(sys.argv[2]).absolute(), int(sys.argv[3]) if len(sys.argv) > 3 else 30, chosen)
