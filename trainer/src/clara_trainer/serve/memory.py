"""How much memory keys and values may take."""

from __future__ import annotations

import os
from pathlib import Path

CPU_SHARE, GPU_SHARE = 0.5, 0.85
UNKNOWN = 2 << 30


def kv_budget(device: str) -> int:
    """Bytes: half of what is available, on a GPU nearly all that is free."""
    if device == "cuda":
        import torch

        return int(torch.cuda.mem_get_info()[0] * GPU_SHARE)
    return int(min(available(), container_room()) * CPU_SHARE)


def available() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return 1024 * int(next(line.split()[1] for line in lines if line.startswith("MemAvailable:")))
    except (OSError, StopIteration, ValueError):
        return installed()


def installed() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (ValueError, OSError):
        return UNKNOWN


def container_room() -> int:
    """What a container's limit leaves; without one, very much."""
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
        return max(0, limit - int(Path("/sys/fs/cgroup/memory.current").read_text()))
    except (OSError, ValueError):
        return 1 << 60
