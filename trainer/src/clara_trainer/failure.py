"""What can go wrong, in the few words that the application acts on."""

from __future__ import annotations

import errno
import re
from pathlib import Path
from typing import Literal, cast, get_args

from clara_trainer.contract.types import FailedData
from clara_trainer.launch import read_json, write_json

Code = Literal["out_of_memory", "invalid_data", "invalid_model", "world_size", "disk_full", "not_allowed", "internal"]
RETRYABLE: frozenset[Code] = frozenset({"out_of_memory", "internal"})
FULL_DISK = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})
# safetensors and torch.save report a failed write in their own words, without an errno.
FULL_DISK_WORDS = re.compile(
    r"No space left on device|File too large|Disk quota exceeded|os error (28|27|122)\b|PytorchStreamWriter failed|"
    r"unexpected pos \d+ vs"
)
MEMORY_WORDS = re.compile(
    r"out of memory|can't allocate memory|not enough memory|cannot allocate memory|CUBLAS_STATUS_ALLOC_FAILED", re.I
)
LOST_PEER_WORDS = re.compile(r"Connection (closed|reset) by peer|Read error \[|NCCL.*remote process exited", re.I)


class TrainingError(Exception):
    """An end that was foreseen; the message says what was wrong, with which value, and what to do."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code


def code_of(error: BaseException) -> Code:
    if isinstance(error, TrainingError):
        assert error.code in get_args(Code)
        return error.code
    text = str(error)
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        return "disk_full"
    if isinstance(error, MemoryError) or MEMORY_WORDS.search(text):
        return "out_of_memory"
    if FULL_DISK_WORDS.search(text):
        return "disk_full"
    if error.__cause__ is not None:
        return code_of(error.__cause__)
    return "internal"


def message_of(error: BaseException, code: Code) -> str:
    if isinstance(error, TrainingError):
        return str(error)
    text = f"{type(error).__name__}: {error}"
    if code == "out_of_memory":
        first = text.splitlines()[0]
        return (
            f"The memory was not enough ({first}). Take a smaller batch_size or max_length, or gradient checkpointing."
        )
    if code == "disk_full":
        return f"The disk is full, or a file reached its size limit ({text}). Free some space and retry."
    if LOST_PEER_WORDS.search(text):
        return f"Another process of this training has died ({text.splitlines()[0]}). The worker's log may say why."
    return text


def describe(error: BaseException) -> FailedData:
    code = code_of(error)
    return {"code": code, "message": message_of(error, code), "retryable": code in RETRYABLE}


def leave_for_rank_0(run: Path, rank: int, failure: FailedData) -> None:
    """Only rank 0 writes events; it reports what another rank died of instead of the lost connection."""
    write_json(run / "ranks" / f"{rank}.failure", failure)


def peer_failure(run: Path) -> FailedData | None:
    found = [read_json(path) for path in sorted((run / "ranks").glob("*.failure"))]
    return cast(FailedData, next((failure for failure in found if failure), None))
