"""Adapters that come, go, and are refused, on a tiny random Llama."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from serve_client import LONG, PROMPT, Server
from tiny import make_tiny_model
from tiny_adapter import make_tiny_adapter

Q_PROJ = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"


@pytest.fixture(scope="module")
def adapter(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_adapter(tiny, tmp_path_factory.mktemp("adapter") / "good", 1)


def edited(adapter: Path, to: Path, **config: Any) -> Path:
    shutil.copytree(adapter, to)
    file = to / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **config}))
    return to


def with_weights(adapter: Path, to: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    from safetensors.torch import load_file, save_file

    shutil.copytree(adapter, to)
    weights = load_file(adapter / "adapter_model.safetensors")
    change(weights)
    save_file(weights, to / "adapter_model.safetensors")
    return to


class Evil:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str, ...]]:
        return os.mkdir, (self.path,)


def test_loading_twice_and_past_the_limit(server: Server, adapter: Path) -> None:
    assert server.load("one", adapter)[0] == 200
    status, answer = server.load("one", adapter)
    assert (status, answer["error"]["type"]) == (400, "InvalidUserInput")
    assert "already been loaded" in answer["error"]["message"]
    assert server.load("tiny", adapter)[0] == 400
    assert server.load("two", adapter)[0] == 200
    status, answer = server.load("three", adapter)
    assert (status, answer["error"]["message"].startswith("All 2 places")) == (409, True)
    for name in ("one", "two"):
        assert server.unload(name) == (200, f"Success: LoRA adapter '{name}' removed successfully.")
    for name in ("one", "tiny"):
        status, answer = server.unload(name)
        assert (status, answer["error"]["type"]) == (404, "NotFoundError")
    status, answer = server.ask("/v1/completions", {"model": "one", "prompt": "x"})
    assert (status, answer["error"]["code"], answer["error"]["param"]) == (404, "model_not_found", "model")
    assert server.ask("/v1/load_lora_adapter", {"lora_name": "one"})[0] == 400


def test_unloading_lets_running_answers_end(server: Server, adapter: Path) -> None:
    server.load("short-lived", adapter)
    body = {**LONG, "model": "short-lived"}
    whole = server.text(**{name: value for name, value in body.items() if name not in ("temperature", "ignore_eos")})
    events = server.stream("/v1/completions", body)
    pieces = [next(events)["choices"][0]["text"]]
    assert server.unload("short-lived")[0] == 200
    assert server.ask("/v1/completions", body)[0] == 404
    assert server.load("short-lived", adapter)[0] == 200
    pieces += [event["choices"][0]["text"] for event in events if event != "[DONE]"]
    assert "".join(pieces) == whole
    assert server.unload("short-lived")[0] == 200


def test_an_adapters_own_template_is_used(server: Server, adapter: Path, tmp_path: Path) -> None:
    own = edited(adapter, tmp_path / "own")
    (own / "chat_template.jinja").write_text("{% for m in messages %}{{ m['content'] }}{% endfor %}")
    bare = edited(adapter, tmp_path / "bare")
    for file in bare.glob("*token*"):
        file.unlink()
    (bare / "chat_template.jinja").write_text("{% for m in messages %}{{ m['content'] }}{% endfor %}")
    body = {"messages": [{"role": "user", "content": PROMPT}], "temperature": 0, "max_tokens": 8, "ignore_eos": True}
    for folder in (own, bare):
        assert server.load("own", folder)[0] == 200
        _, answer = server.ask("/v1/chat/completions", {**body, "model": "own"})
        assert answer["choices"][0]["message"]["content"] == server.text(PROMPT, model="own", max_tokens=8)
        assert answer["usage"]["prompt_tokens"] == 3
        server.unload("own")


def test_an_adapter_that_makes_no_numbers_fails_alone(server: Server, adapter: Path, tmp_path: Path) -> None:
    def swell(weights: dict[str, Any]) -> None:
        for weight in weights.values():
            weight *= 1e30

    before = server.text(PROMPT)
    assert server.load("huge", with_weights(adapter, tmp_path / "huge", swell))[0] == 200
    for _ in range(2):
        status, answer = server.ask("/v1/completions", {"model": "huge", "prompt": PROMPT})
        assert (status, "no numbers" in answer["error"]["message"]) == (500, True)
    assert server.text(PROMPT) == before
    assert server.at_once([{"prompt": PROMPT}] * 2) == [before] * 2
    server.unload("huge")


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"use_dora": True}, "DoRA"),
        ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
        ({"bias": "all"}, "bias"),
        ({"peft_type": "LOHA"}, "only LORA"),
        ({"init_lora_weights": "pissa_niter_4"}, "changed its base"),
        ({"lora_alpha": "viel"}, "lora_alpha"),
        ({"alpha_pattern": {"(": 3}}, "no pattern"),
    ],
)
def test_other_kinds_are_refused(
    server: Server, adapter: Path, tmp_path: Path, config: dict[str, Any], reason: str
) -> None:
    status, answer = server.load("odd", edited(adapter, tmp_path / "odd", **config))
    assert status == 400
    assert reason in answer["error"]["message"]


def cut(weights: dict[str, Any]) -> None:
    weights[Q_PROJ] = weights[Q_PROJ][:, :-1].contiguous()


def widen(weights: dict[str, Any]) -> None:
    import torch

    weights[Q_PROJ] = torch.zeros(9, 64)
    weights[Q_PROJ.replace("lora_A", "lora_B")] = torch.zeros(64, 9)


def infect(weights: dict[str, Any]) -> None:
    weights[Q_PROJ][0, 0] = float("nan")


def rename(weights: dict[str, Any]) -> None:
    for name in [name for name in weights if "q_proj" in name]:
        weights[name.replace("q_proj", "query")] = weights.pop(name)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (cut, "has the shapes (4, 63)"),
        (widen, "rank 9, the engine takes 1 to 8"),
        (infect, "no numbers"),
        (rename, "no linear layer"),
        (lambda weights: weights.pop(Q_PROJ), "only its lora_B"),
        (lambda weights: weights.clear(), "holds no tensors"),
        (lambda weights: weights.update({"model.embed_tokens.weight": weights[Q_PROJ].clone()}), "no LoRA weight"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    server: Server, adapter: Path, tmp_path: Path, change: Callable[[dict[str, Any]], object], reason: str
) -> None:
    status, answer = server.load("odd", with_weights(adapter, tmp_path / "odd", change))
    assert status == 400
    assert reason in answer["error"]["message"]


def test_an_adapter_of_another_base_is_refused(server: Server, tmp_path: Path) -> None:
    other = make_tiny_model(tmp_path / "other", hidden=32)
    status, answer = server.load("other", make_tiny_adapter(other, tmp_path / "adapter", 1))
    assert status == 400
    assert "of another base" in answer["error"]["message"]


def test_folders_that_are_none_or_evil_are_refused(server: Server, adapter: Path, tmp_path: Path) -> None:
    def reason(folder: Path) -> tuple[int, str]:
        status, answer = server.load("evil", folder)
        return status, answer["error"]["message"]

    assert reason(tmp_path / "nowhere")[0] == 404
    (tmp_path / "empty").mkdir()
    assert reason(tmp_path / "empty")[0] == 404
    assert reason(Path("relative"))[0] == 400
    link = edited(adapter, tmp_path / "link")
    (link / "adapter_model.safetensors").unlink()
    (link / "adapter_model.safetensors").symlink_to(adapter / "adapter_model.safetensors")
    assert "link that leads out" in reason(link)[1]
    hidden = edited(adapter, tmp_path / "hidden")
    (hidden / "chat_template.jinja").unlink(missing_ok=True)
    (hidden / "chat_template.jinja").symlink_to("/etc/hostname")
    assert "link that leads out" in reason(hidden)[1]
    mark = tmp_path / "was here"
    evil = edited(adapter, tmp_path / "pickle")
    (evil / "adapter_model.safetensors").unlink()
    (evil / "adapter_model.bin").write_bytes(pickle.dumps(Evil(str(mark))))
    assert "pickle" in reason(evil)[1]
    disguised = edited(adapter, tmp_path / "disguised")
    (disguised / "adapter_model.safetensors").write_bytes(pickle.dumps(Evil(str(mark))))
    assert "cannot be read" in reason(disguised)[1]
    assert not mark.exists()
    (disguised / "adapter_model.safetensors").write_bytes((adapter / "adapter_model.safetensors").read_bytes())
    (disguised / "tokenizer_config.json").write_text("[" * 50_000)
    assert "tokenizer_config.json" in reason(disguised)[1]
    code = edited(adapter, tmp_path / "code")
    tokenizer = json.loads((code / "tokenizer_config.json").read_text())
    tokenizer["auto_map"] = {"AutoTokenizer": ["evil.Tokenizer", None]}
    tokenizer["tokenizer_class"] = "Tokenizer"
    (code / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    (code / "evil.py").write_text(f"open({str(mark)!r}, 'w')\nclass Tokenizer: pass\n")
    server.load("code", code)
    assert not mark.exists()
    server.unload("code")
    assert server.text(PROMPT)
