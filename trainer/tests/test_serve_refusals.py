"""Requests that the engine refuses, and how it says so."""

from __future__ import annotations

from typing import Any

import pytest
from serve_client import PROMPT, Server


@pytest.mark.parametrize(
    ("path", "change", "param"),
    [
        ("completions", {"prompt": []}, "prompt"),
        ("completions", {"prompt": [400]}, "prompt"),
        ("completions", {"prompt": ""}, "prompt"),
        ("completions", {"max_tokens": 0}, "max_tokens"),
        ("completions", {"temperature": 3}, "temperature"),
        ("completions", {"temperature": "warm"}, "temperature"),
        ("completions", {"top_p": 0}, "top_p"),
        ("completions", {"n": 0}, "n"),
        ("completions", {"stop": [""]}, "stop"),
        ("completions", {"logprobs": 21}, "logprobs"),
        ("completions", {"stream": "yes"}, "stream"),
        ("completions", {"presence_penalty": 3}, "presence_penalty"),
        ("completions", {"logit_bias": {"x": 1}}, "logit_bias"),
        ("completions", {"logit_bias": {"400": 1}}, "logit_bias"),
        ("completions", {"suffix": "end"}, "suffix"),
        ("completions", {"model": None}, "model"),
        ("chat/completions", {"messages": []}, "messages"),
        ("chat/completions", {"messages": [{"role": "user"}]}, "messages[0].content"),
        ("chat/completions", {"top_logprobs": 2}, "top_logprobs"),
        ("chat/completions", {"tools": [{"type": "function"}]}, "tools"),
        ("chat/completions", {"response_format": {"type": "xml"}}, "response_format"),
        (
            "chat/completions",
            {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "nothing"}}}},
            "response_format",
        ),
    ],
)
def test_bad_fields_are_named(server: Server, path: str, change: dict[str, Any], param: str) -> None:
    good = {"prompt": PROMPT} if path == "completions" else {"messages": [{"role": "user", "content": "Frist?"}]}
    status, answer = server.ask(f"/v1/{path}", {"model": "tiny", **good, **change})
    assert (status, answer["error"]["type"], answer["error"]["param"]) == (400, "invalid_request_error", param), answer


def test_bodies_that_are_none(server: Server) -> None:
    for body in (b"{", b"[1]", b"\xff", b"[" * 100_000):
        status, answer = server.ask("/v1/completions", body)
        assert (status, answer["error"]["type"]) == (400, "invalid_request_error")
    assert server.ask("/v1/nothing")[0] == 404
    assert server.ask("/v1/completions", b"x" * (33 << 20))[0] == 413


def test_a_prompt_longer_than_the_context_is_told_with_numbers(server: Server) -> None:
    status, answer = server.ask("/v1/completions", {"model": "tiny", "prompt": [5] * 600})
    assert (status, answer["error"]["code"]) == (400, "context_length_exceeded")
    assert "512 tokens" in answer["error"]["message"]
    assert "600 tokens" in answer["error"]["message"]
    assert server.ask("/v1/completions", {"model": "tiny", "prompt": [5] * 512})[0] == 400
    clipped = server.complete([5] * 500, max_tokens=100)
    assert clipped["usage"]["completion_tokens"] == 12
    assert clipped["choices"][0]["finish_reason"] == "length"
