from __future__ import annotations

import errno
from pathlib import Path

import pytest
from runs import events_of

from clara_trainer.events import EventLog, finite
from clara_trainer.failure import TrainingError, describe


@pytest.mark.parametrize(
    ("error", "code", "retryable"),
    [
        (TrainingError("invalid_data", "a.jsonl: line 3"), "invalid_data", False),
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full", False),
        (OSError(errno.EFBIG, "File too large"), "disk_full", False),
        (RuntimeError("[enforce fail at inline_container.cc:664] . unexpected pos 64 vs 0"), "disk_full", False),
        (Exception("Error while serializing: I/O error: File too large (os error 27)"), "disk_full", False),
        (MemoryError(), "out_of_memory", True),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
            "out_of_memory",
            True,
        ),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), "out_of_memory", True),
        (RuntimeError("[1.2.3.4]:5: Connection closed by peer"), "internal", True),
        (KeyError("x"), "internal", True),
    ],
)
def test_errors_get_the_code_that_the_application_acts_on(error: Exception, code: str, retryable: bool) -> None:
    found = describe(error)
    assert (found["code"], found["retryable"]) == (code, retryable)
    assert found["message"]


def test_the_cause_of_an_error_counts() -> None:
    error = RuntimeError("saving failed")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert describe(error)["code"] == "disk_full"


def test_what_is_not_finite_becomes_null() -> None:
    assert finite({"a": [float("nan"), 1.0], "b": float("inf")}) == {"a": [None, 1.0], "b": None}


def test_only_rank_0_writes(tmp_path: Path) -> None:
    EventLog(tmp_path, rank=1).append("phase", {"phase": "importing"})
    assert not (tmp_path / "events.jsonl").exists()
    log = EventLog(tmp_path, rank=0)
    log.append("phase", {"phase": "importing"})
    log.append("progress", {"loss": float("nan"), "text": "Größe"}, step=1)
    assert [(event["n"], event["step"]) for event in events_of(tmp_path)] == [(1, None), (2, 1)]
    assert events_of(tmp_path)[1]["data"] == {"loss": None, "text": "Größe"}
