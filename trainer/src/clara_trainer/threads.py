"""How many threads a training process computes with; set before torch is imported."""

from __future__ import annotations

import os


def available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def limit_threads(processes: int) -> None:
    """CLARA_THREADS is the job's share of the machine; its processes divide it."""
    share = int(os.environ.get("CLARA_THREADS") or available_cores())
    threads = max(1, share // processes)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    # A thread that waits by spinning takes the core from the training beside it.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
