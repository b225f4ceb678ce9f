"""From files to the examples to train and to evaluate on."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from clara_trainer.contract.types import Data, DataFile, DataReport
from clara_trainer.data.example import Example, RowError, RowSkipped
from clara_trainer.data.files import read_rows
from clara_trainer.data.formats import convert
from clara_trainer.data.pairs import REJECTED, convert_pair
from clara_trainer.failure import TrainingError

SHOWN_PROBLEMS = 10
Method = Literal["supervised", "dpo"]


@dataclass
class Examples:
    train: list[Example]
    evaluation: list[Example]
    files: list[DataReport]
    warnings: list[str]


@dataclass
class Reading:
    """The rows of some files, and what is to be said about them."""

    examples: list[Example] = field(default_factory=list)
    files: list[DataReport] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    formats: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)


def load_examples(data: Data, seed: int, method: Method = "supervised") -> Examples:
    read = Reader(data, method)
    train, validation = read.files(data["train"]), read.files(data["validation"])
    problems = train.problems + validation.problems
    if problems:
        more = f" (and {len(problems) - SHOWN_PROBLEMS} more)" if len(problems) > SHOWN_PROBLEMS else ""
        raise TrainingError("invalid_data", "; ".join(problems[:SHOWN_PROBLEMS]) + more)
    warnings = warnings_of(train, "training", method) + warnings_of(validation, "validation", method)
    rows = without_duplicates(train.examples, warnings) if data["remove_duplicates"] else train.examples
    if data["validation"]:
        rows, held_out = without_leakage(rows, validation.examples, warnings), validation.examples
    else:
        rows, held_out = split(rows, data["validation_split"], seed)
    if not rows:
        names = ", ".join(file["path"] for file in data["train"])
        raise TrainingError("invalid_data", f"{names}: no row is left to train on. {' '.join(warnings)}".strip())
    if not held_out and data["validation_split"] > 0:
        warnings.append("There are too few rows to keep some for the evaluation: no loss before and after is measured.")
    return Examples(rows, held_out, train.files + validation.files, warnings)


@dataclass(frozen=True)
class Reader:
    """Reads files as the run says, each row as what the method learns from."""

    data: Data
    method: Method

    def files(self, files: list[DataFile]) -> Reading:
        reading = Reading()
        for file in files:
            read_file(Path(file["path"]), file["sha256"], self, reading)
        return reading

    def example(self, row: Any) -> tuple[str, Example]:
        name, example = convert_pair(row) if self.method == "dpo" else convert(row)
        check_length(example, self.data)
        return name, example


def read_file(path: Path, sha256: str | None, reader: Reader, reading: Reading) -> None:
    found = hash_of(path)
    if sha256 is not None and found != sha256:
        raise TrainingError("invalid_data", f"{path} has changed since the job was made: post the job again")
    formats: Counter[str] = Counter()
    rows = 0
    for place, row in read_rows(path):
        rows += 1
        try:
            if isinstance(row, RowError):
                raise row
            name, example = reader.example(row)
            formats[name] += 1
            reading.examples.append(replace(example, place=f"{path.name}: {place}"))
        except RowError as error:
            reading.problems.append(f"{path}: {place}: {error}")
        except RowSkipped as reason:
            reading.skipped[str(reason)] += 1
    if rows == 0:
        raise TrainingError("invalid_data", f"{path} has no rows")
    reading.formats.update(formats)
    reading.files.append(
        {"path": str(path), "sha256": found, "rows": rows, "format": "+".join(sorted(formats)) or "unknown"}
    )


def hash_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise TrainingError("invalid_data", f"{path} cannot be read: {error.strerror}") from error


def check_length(example: Example, data: Data) -> None:
    length, limit = example.characters(), data["max_characters"]
    if length < data["min_length"]:
        raise RowSkipped(f"shorter than min_length ({data['min_length']} characters)")
    if limit is not None and length > limit:
        raise RowSkipped(f"longer than max_characters ({limit})")


def warnings_of(reading: Reading, kind: str, method: Method) -> list[str]:
    warnings = [f"{count} {kind} rows are left out: {reason}." for reason, count in sorted(reading.skipped.items())]
    preferences = sum(reading.formats[name] for name in REJECTED)
    if preferences and method == "supervised":
        warnings.append(f"{preferences} {kind} rows are preferences: only the preferred answer is learned.")
    return warnings


def without_duplicates(examples: list[Example], warnings: list[str]) -> list[Example]:
    unique = list({example.fingerprint(): example for example in reversed(examples)}.values())[::-1]
    if len(unique) < len(examples):
        warnings.append(f"{len(examples) - len(unique)} training rows are duplicates and are left out.")
    return unique


def without_leakage(examples: list[Example], held_out: list[Example], warnings: list[str]) -> list[Example]:
    known = {example.fingerprint() for example in held_out}
    kept = [example for example in examples if example.fingerprint() not in known]
    if len(kept) < len(examples):
        warnings.append(
            f"{len(examples) - len(kept)} training rows also stand in the validation file and are left out."
        )
    return kept


def split(examples: list[Example], share: float, seed: int) -> tuple[list[Example], list[Example]]:
    """Equal rows fall on the same side, so nothing that is evaluated was trained on."""
    groups: dict[str, list[Example]] = {}
    for example in examples:
        groups.setdefault(example.fingerprint(), []).append(example)
    if share <= 0 or len(groups) < 2:
        return examples, []
    order = list(groups)
    random.Random(seed).shuffle(order)
    wanted = min(max(1, round(len(order) * share)), len(order) - 1)
    chosen = set(order[:wanted])
    held_out = [example for key in groups if key in chosen for example in groups[key]]
    return [example for key in groups if key not in chosen for example in groups[key]], held_out
