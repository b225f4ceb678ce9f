"""Reads rows from jsonl, json, csv, parquet and arrow files, each with the place where it stands."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clara_trainer.data.example import RowError
from clara_trainer.failure import TrainingError

CSV_FIELD_LIMIT = 64 * 1024 * 1024
COLUMNS = frozenset(
    {"text", "messages", "conversations", "instruction", "output", "prompt", "completion", "chosen", "preferred_output"}
)
# A place and the row, or what kept it from being read.
PlacedRow = tuple[str, Any | RowError]


def read_rows(path: Path) -> Iterator[PlacedRow]:
    readers = {
        ".jsonl": read_jsonl,
        ".ndjson": read_jsonl,
        ".json": read_json,
        ".csv": read_csv,
        ".parquet": read_parquet,
        ".arrow": read_arrow,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise TrainingError(
            "invalid_data",
            f"{path}: files of type {path.suffix or '(none)'} cannot be read; known are {', '.join(readers)}",
        )
    try:
        yield from reader(path)
    except OSError as error:
        if isinstance(error, (FileNotFoundError, PermissionError, IsADirectoryError)):
            raise TrainingError("invalid_data", f"{path} cannot be read: {error.strerror}") from error
        raise


def read_jsonl(path: Path) -> Iterator[PlacedRow]:
    with path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            place = f"line {number}"
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            except UnicodeDecodeError as error:
                yield place, RowError(f"is not UTF-8 (byte {error.start + 1}: {raw[error.start]:#04x})")
                continue
            if not line:
                continue
            try:
                yield place, json.loads(line)
            except json.JSONDecodeError as error:
                yield place, RowError(f"is not JSON: {error.msg} (column {error.colno})")


def decoded(path: Path) -> str:
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise TrainingError("invalid_data", f"{path}: line {line}: is not UTF-8 ({raw[error.start]:#04x})") from error


def read_json(path: Path) -> Iterator[PlacedRow]:
    """A list of rows, or an object whose `data` or `documents` (a CLARA export) is one."""
    try:
        value = json.loads(decoded(path))
    except json.JSONDecodeError as error:
        raise TrainingError("invalid_data", f"{path}: line {error.lineno}: is not JSON: {error.msg}") from error
    rows = value.get("data", value.get("documents")) if isinstance(value, dict) else value
    if not isinstance(rows, list):
        raise TrainingError(
            "invalid_data", f"{path} must hold a list of rows, or an object with a list named data or documents"
        )
    for number, row in enumerate(rows, 1):
        yield f"row {number}", row


def read_csv(path: Path) -> Iterator[PlacedRow]:
    text = decoded(path)
    csv.field_size_limit(CSV_FIELD_LIMIT)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter_of(text), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        first = reader.line_num + 1
        for cells in reader:
            place, first = f"line {first}", reader.line_num + 1
            if not cells:
                continue
            if len(cells) != len(header):
                yield place, RowError(f"has {len(cells)} columns, the head line has {len(header)}")
                continue
            yield place, {name: cell_of(cell) for name, cell in zip(header, cells, strict=True) if cell != ""}
    except csv.Error as error:
        yield f"line {reader.line_num}", RowError(f"is not CSV: {error}")


def delimiter_of(text: str) -> str:
    """German spreadsheets write semicolons: the separator is the one that makes known columns of the head line."""
    head = text.split("\n", 1)[0]
    known = {
        delimiter: len(COLUMNS & {name.strip(' "\r') for name in head.split(delimiter)})
        for delimiter in (",", ";", "\t")
    }
    return max(known, key=lambda delimiter: known[delimiter])


def cell_of(cell: str) -> Any:
    if cell[:1] in "[{":
        try:
            return json.loads(cell)
        except ValueError:
            return cell
    return cell


def read_parquet(path: Path) -> Iterator[PlacedRow]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except pyarrow.ArrowInvalid as error:
        raise TrainingError("invalid_data", f"{path} is not a Parquet file: {error}") from error
    yield from table_rows(table)


def read_arrow(path: Path) -> Iterator[PlacedRow]:
    import pyarrow

    try:
        with pyarrow.memory_map(str(path)) as source:
            try:
                table = pyarrow.ipc.open_stream(source).read_all()
            except pyarrow.ArrowInvalid:
                source.seek(0)
                table = pyarrow.ipc.open_file(source).read_all()
            yield from table_rows(table)
    except pyarrow.ArrowInvalid as error:
        raise TrainingError("invalid_data", f"{path} is not an Arrow file: {error}") from error


def table_rows(table: Any) -> Iterator[PlacedRow]:
    for number, row in enumerate(table.to_pylist(), 1):
        yield f"row {number}", {key: cell_of(value) if isinstance(value, str) else value for key, value in row.items()}
