"""Reads run.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

from clara_trainer.contract.types import Run
from clara_trainer.failure import TrainingError

SCHEMA = Path(__file__).parent / "contract" / "run.schema.json"


def load_run(folder: Path) -> Run:
    """Reads and checks run.json; every problem is named by its path, in one error."""
    from jsonschema import Draft202012Validator

    file = folder / "run.json"
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise TrainingError("internal", f"{file} is missing") from error
    except ValueError as error:
        raise TrainingError("internal", f"{file} is not JSON: {error}") from error
    schema = json.loads(SCHEMA.read_text())
    problems = [
        f"{'.'.join(str(part) for part in problem.absolute_path) or 'run.json'}: {problem.message}"
        for problem in Draft202012Validator(schema).iter_errors(value)
    ]
    if problems:
        raise TrainingError("internal", f"{file} does not fit its schema: {'; '.join(problems)}")
    return cast(Run, value)
