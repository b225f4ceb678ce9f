"""What the tests share: a tiny base model, a data file, and one undisturbed training to compare with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from runs import execute, make_run, worker_command
from serve_client import Server
from tiny import make_tiny_model
from tiny_encoder import make_tiny_encoder

os.environ["HF_HUB_OFFLINE"] = "1"
# Long enough to be killed in the middle, short enough to be run often.
SCHEDULE = {"epochs": 3, "save_steps": 5, "gradient_accumulation_steps": 2}


def conversation(number: int) -> dict[str, object]:
    return {
        "messages": [
            {"role": "user", "content": f"Wie lang ist die Frist {number}?"},
            {"role": "assistant", "content": f"Die Frist {number} beträgt einen Monat nach der Bekanntgabe."},
        ]
    }


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "rows.jsonl"
    path.write_text("\n".join(json.dumps(conversation(number), ensure_ascii=False) for number in range(40)))
    return path


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, tiny: Path, rows: Path) -> Path:
    """The attempt's folder of a finished LoRA training."""
    run = make_run(tmp_path_factory.mktemp("undisturbed"), tiny, rows, training=SCHEDULE)
    done = execute(worker_command(run))
    assert done.returncode == 0, done.stderr
    return run


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="module")
def server(tiny: Path) -> Iterator[Server]:
    """An engine with room for few, one for each file of tests."""
    server = Server(tiny, "--threads=1", "--max-rows=2", "--max-loras=2", "--max-rank=8")
    yield server
    assert server.close() == 0
