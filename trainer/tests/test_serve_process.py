"""The engine's process: its start, its end, clients that leave it, and little memory."""

from __future__ import annotations

import asyncio
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from serve_client import LONG, PROMPT, Server

from clara_trainer.serve import server as http
from clara_trainer.serve.problem import Problem

DEADLINE = 60


def wait_for(what: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not what():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def test_a_base_in_the_hubs_cache_is_found(tiny: Path, tmp_path: Path) -> None:
    stored = tmp_path / "models--owner--small"
    shutil.copytree(tiny, stored / "snapshots" / "abc")
    (stored / "refs").mkdir()
    (stored / "refs" / "main").write_text("abc")
    server = Server("owner/small", "--threads=1", HF_HUB_CACHE=str(tmp_path))
    assert server.said["ready"]["model"] == "tiny"
    assert server.close() == 0


def test_what_cannot_start_says_why(tiny: Path, tmp_path: Path) -> None:
    pickled = shutil.copytree(tiny, tmp_path / "pickled")
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    for folder, reason in ((pickled, "pickle"), (tmp_path, "no model folder"), (tmp_path / "no", "neither a folder")):
        server = Server(folder)
        assert reason in server.said["failed"]["message"]
        assert server.process.wait(timeout=30) == 1


def test_a_client_that_leaves_makes_room(server: Server) -> None:
    """Both rows are taken by answers that nobody reads any more; one client has not had a token yet."""
    for stream in (True, False):
        before = server.metric("vllm:request_success_total")
        left = [
            server.open_unread("/v1/completions", {**LONG, "model": "tiny", "n": 8, "stream": stream}) for _ in "12"
        ]
        wait_for(lambda: server.metric("vllm:num_requests_running") == 2)
        for connection in left:
            connection.close()
        wait_for(lambda: server.metric("vllm:num_requests_running") + server.metric("vllm:num_requests_waiting") == 0)
        assert server.metric("vllm:request_success_total") - before < 16
        assert server.text(PROMPT)


def test_with_little_memory_rows_wait_and_answer_the_same(tiny: Path, server: Server) -> None:
    """Room for two rows of 256 tokens or one of 512: the younger one gives way and reads its own text again."""
    bytes_of_token = 2 * 2 * 2 * 16 * 4
    small = Server(tiny, "--threads=1", "--max-rows=4", f"--kv-bytes={512 * bytes_of_token}")
    assert small.said["ready"]["context"] == 512
    requests = [{"prompt": f"Die Frist {at}", "max_tokens": 300} for at in range(3)]
    assert small.at_once(requests) == [server.text(**request) for request in requests]
    assert small.metric("vllm:num_preemptions_total") > 0
    assert small.close() == 0


def test_the_end_of_its_parent_ends_it(tiny: Path) -> None:
    server = Server(tiny, "--threads=1")
    events = server.stream("/v1/completions", {**LONG, "model": "tiny"})
    next(events)
    assert server.close() == 0


def test_sigterm_ends_answers_with_an_error_event(tiny: Path) -> None:
    server = Server(tiny, "--threads=1")
    events = server.stream("/v1/completions", {**LONG, "model": "tiny", "n": 8})
    next(events)
    server.process.send_signal(signal.SIGTERM)
    last = list(events)[-1]
    assert (last["error"]["code"], last["error"]["type"]) == ("stopping", "service_unavailable_error")
    assert server.process.wait(timeout=30) == 0


def test_a_decode_loop_that_has_ended_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def body() -> bytes:
        return b'{"threads": 2}'

    monkeypatch.setattr(http, "CALL_SECONDS", 0.01)
    loop: Any = SimpleNamespace(limits=SimpleNamespace(threads=1), call=lambda _: None)
    nothing: Any = None
    request: Any = SimpleNamespace(read=body)
    with pytest.raises(Problem, match="decode loop"):
        asyncio.run(http.Server(nothing, loop, nothing, "key").change_threads(request))
