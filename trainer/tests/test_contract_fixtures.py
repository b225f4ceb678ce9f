"""The example files of test/contract/fixtures, which the application's tests read too."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from clara_trainer import contract
from clara_trainer.run_file import load_run

FIXTURES = Path(__file__).resolve().parents[2] / "test" / "contract" / "fixtures"
EVENTS = sorted(FIXTURES.glob("*.events.jsonl"))
RUNS = sorted(FIXTURES.glob("*.run.json"))


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.name)
def test_events_fit_the_schema_and_are_numbered(path: Path) -> None:
    schema = json.loads((Path(contract.__file__).parent / "event.schema.json").read_text())
    validator = Draft202012Validator(schema)
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [event["n"] for event in events] == list(range(1, len(events) + 1))
    for event in events:
        assert not list(validator.iter_errors(event)), event


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.name)
def test_runs_are_read(path: Path, tmp_path: Path) -> None:
    shutil.copy(path, tmp_path / "run.json")
    assert load_run(tmp_path)["job_id"] == json.loads(path.read_text())["job_id"]


def test_there_are_examples() -> None:
    assert len(EVENTS) >= 3
    assert len(RUNS) >= 2
