"""Recognises rows that say which of two answers is preferred."""

from __future__ import annotations

from typing import Any

from clara_trainer.data.example import Example, RowError, RowSkipped
from clara_trainer.data.formats import Row, convert

KNOWN = "input/preferred_output/non_preferred_output or chosen/rejected"
# The answer that is not preferred, by the format's name; with the other's key it reads as an example of its own.
REJECTED = {
    "openai-preference": ("preferred_output", "non_preferred_output"),
    "preference": ("chosen", "rejected"),
}


def convert_pair(row: Any) -> tuple[str, Example]:
    """The format's name and both conversations; RowError says what is wrong, RowSkipped why a pair is left out."""
    name, preferred = convert(row)
    if name not in REJECTED:
        raise RowError(f"is no pair of answers ({name}): dpo needs {KNOWN}")
    rejected = rejected_of(row, *REJECTED[name])
    prompt = preferred.turns[:-1]
    if [(turn.role, turn.content) for turn in rejected.turns[: len(prompt)]] != [
        (turn.role, turn.content) for turn in prompt
    ]:
        raise RowError("its two conversations differ before their last answer")
    if preferred.turns == rejected.turns:
        raise RowSkipped("both answers are the same")
    return name, Example(turns=preferred.turns, rejected=rejected.turns)


def rejected_of(row: Row, key: str, other: str) -> Example:
    """The row with its answers exchanged, read as any other."""
    if row.get(other) is None:
        raise RowError(f"has no {other}: dpo needs both answers")
    try:
        return convert({**row, key: row[other], other: row[key]})[1]
    except RowError as error:
        raise RowError(f"{other}: {str(error).replace(key, other)}") from error
