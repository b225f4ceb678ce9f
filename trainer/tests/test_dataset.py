from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
from runs import DEFAULTS

from clara_trainer.contract.types import Data
from clara_trainer.data.dataset import Examples, load_examples
from clara_trainer.data.example import Example
from clara_trainer.failure import TrainingError

GOOD = {"prompt": "Frage", "completion": "Antwort"}


def load(*train: Path, **changes: Any) -> Examples:
    data = {**DEFAULTS["data"], "train": [{"path": str(path), "sha256": None} for path in train], **changes}
    return load_examples(cast(Data, data), seed=42)


def write(path: Path, *rows: Any) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def numbered(count: int) -> list[dict[str, str]]:
    return [{"prompt": f"Frage {number}", "completion": f"Antwort {number}"} for number in range(count)]


def refused(*train: Path, **changes: Any) -> str:
    with pytest.raises(TrainingError) as caught:
        load(*train, **changes)
    assert caught.value.code == "invalid_data"
    return str(caught.value)


def fingerprints(examples: list[Example]) -> set[str]:
    return {example.fingerprint() for example in examples}


def test_a_bad_line_is_named_by_file_and_number(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", GOOD, "", "{nicht json", {"messages": []})
    message = refused(path)
    assert f"{path}: line 3: is not JSON" in message
    assert f"{path}: line 4: messages must be a list" in message


def test_only_the_first_problems_are_listed(tmp_path: Path) -> None:
    assert "(and 15 more)" in refused(write(tmp_path / "a.jsonl", *["x"] * 25))


def test_bytes_that_are_not_utf8_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(json.dumps(GOOD).encode() + b'\n{"text": "gr\xfc\xdfe"}\n')
    assert "line 2: is not UTF-8 (byte 13: 0xfc)" in refused(path)


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode())
    assert len(load(path).train) == 1


@pytest.mark.parametrize("wrapper", [None, "data", "documents"])
def test_json_files(tmp_path: Path, wrapper: str | None) -> None:
    rows = numbered(10)
    path = write(tmp_path / "a.json", json.dumps({wrapper: rows} if wrapper else rows, indent=1))
    assert len(load(path).train) == 8
    assert "must hold a list" in refused(write(tmp_path / "b.json", "7"))
    assert "line 2: is not JSON" in refused(write(tmp_path / "c.json", "[\n!]"))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_files(tmp_path: Path, delimiter: str) -> None:
    rows = ["prompt", "completion"], ['"Zwei\nZeilen"', "Antwort"], ["Frage", "Antwort 2"]
    path = write(tmp_path / "a.csv", *(delimiter.join(cells) for cells in rows))
    examples = load(path, validation_split=0)
    assert [example.turns[0].content for example in examples.train] == ["Zwei\nZeilen", "Frage"]
    assert examples.files[0]["format"] == "prompt-completion"


def test_a_bad_csv_line_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "prompt,completion", '"zwei\nZeilen",b', "nur eine")
    assert "line 4: has 1 columns, the head line has 2" in refused(path)


def test_a_csv_cell_may_hold_messages(tmp_path: Path) -> None:
    cell = json.dumps([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]).replace('"', '""')
    assert load(write(tmp_path / "a.csv", "messages", f'"{cell}"')).files[0]["format"] == "messages"


@pytest.mark.parametrize("suffix", ["parquet", "arrow"])
def test_tables(tmp_path: Path, suffix: str) -> None:
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.Table.from_pylist([{"text": f"Absatz {number}", "messages": None} for number in range(10)])
    path = tmp_path / f"a.{suffix}"
    if suffix == "parquet":
        pyarrow.parquet.write_table(table, path)
    else:
        with pyarrow.OSFile(str(path), "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    assert len(load(path).train) == 8
    path.write_bytes(b"kaputt")
    assert f"{path} is not" in refused(path)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [("a.jsonl", "", "has no rows"), ("a.docx", "x", "type .docx cannot be read"), ("a.csv", "text", "has no rows")],
)
def test_files_without_rows(tmp_path: Path, name: str, content: str, problem: str) -> None:
    assert problem in refused(write(tmp_path / name, content))


def test_a_missing_file_and_a_changed_one(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in refused(tmp_path / "fehlt.jsonl")
    changed = [{"path": str(write(tmp_path / "a.jsonl", GOOD)), "sha256": "0" * 64}]
    assert "has changed since the job was made" in refused(train=changed)


def test_the_split_depends_on_the_seed_alone_and_keeps_equal_rows_together(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", *numbered(20), *numbered(20))
    first, second = (load(path, remove_duplicates=False, validation_split=0.25) for _ in range(2))
    assert (first.train, first.evaluation) == (second.train, second.evaluation)
    assert (len(first.train), len(first.evaluation)) == (30, 10)
    assert not fingerprints(first.train) & fingerprints(first.evaluation)


def test_duplicates_are_left_out_and_said(tmp_path: Path) -> None:
    examples = load(write(tmp_path / "a.jsonl", *numbered(10), *numbered(4)))
    assert len(examples.train) + len(examples.evaluation) == 10
    assert "4 training rows are duplicates and are left out." in examples.warnings


def test_rows_of_the_validation_file_are_not_trained_on(tmp_path: Path) -> None:
    train, validation = write(tmp_path / "a.jsonl", *numbered(10)), write(tmp_path / "b.jsonl", *numbered(3))
    examples = load(train, validation=[{"path": str(validation), "sha256": None}])
    assert (len(examples.train), len(examples.evaluation)) == (7, 3)


def test_limits_of_length_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", *numbered(3), {"text": "x" * 500}, {"text": "y"})
    examples = load(path, min_length=5, max_characters=100, validation_split=0)
    assert len(examples.train) == 3
    assert "1 training rows are left out: longer than max_characters (100)." in examples.warnings
    assert "no row is left" in refused(path, min_length=1000)


def test_one_row_is_trained_on_and_not_evaluated(tmp_path: Path) -> None:
    examples = load(write(tmp_path / "a.jsonl", GOOD))
    assert (len(examples.train), len(examples.evaluation)) == (1, 0)
    assert any("too few rows" in warning for warning in examples.warnings)
