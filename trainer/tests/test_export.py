"""Exports of a real adapter: the merged model and the GGUF adapter say what base and adapter say together."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from runs import environment
from tiny_adapter import make_tiny_adapter

SECONDS = 180


@pytest.fixture(scope="module")
def adapter(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_adapter(tiny, tmp_path_factory.mktemp("adapters") / "one", seed=1)


def command(base: Path, adapter: Path, out: Path, kind: str) -> list[str]:
    places = ["--base", str(base), "--adapter", str(adapter), "--out", str(out)]
    return [sys.executable, "-m", "clara_trainer.export", *places, "--name", "my-adapter", "--format", kind]


def start(base: Path, adapter: Path, out: Path, kind: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command(base, adapter, out, kind), stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment()
    )


def run(base: Path, adapter: Path, out: Path, kind: str) -> list[dict[str, Any]]:
    process = start(base, adapter, out, kind)
    # Its input stays open until it has ended.
    assert process.stdout is not None
    try:
        lines = [json.loads(line) for line in process.stdout]
        process.wait(SECONDS)
        return lines
    finally:
        process.kill()
        process.communicate()


def logits(folder: Path, adapter: Path | None) -> Any:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(str(folder))
    if adapter is not None:
        model = PeftModel.from_pretrained(model, str(adapter))
    with torch.no_grad():
        return model(torch.tensor([[5, 17, 40, 99, 3]])).logits


def test_the_merged_model_answers_as_base_and_adapter_do(tiny: Path, adapter: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoTokenizer

    lines = run(tiny, adapter, tmp_path / "merged", "merged")
    assert lines[-1] == {"done": True}
    progress = [line["progress"] for line in lines[:-1]]
    assert progress == sorted(progress)
    assert len(progress) > 2
    wanted = logits(tiny, adapter)
    assert torch.allclose(logits(tmp_path / "merged", None), wanted, atol=1e-4)
    assert not torch.allclose(logits(tiny, None), wanted, atol=1e-2)
    assert AutoTokenizer.from_pretrained(str(tmp_path / "merged")).chat_template is not None
    assert not list((tmp_path / "merged").glob("*.bin"))


def test_an_adapter_without_a_tokenizer_keeps_its_template(tiny: Path, tmp_path: Path) -> None:
    from clara_trainer.export.merged import load_tokenizer

    (tmp_path / "chat_template.jinja").write_text("{{ messages }}")
    assert load_tokenizer(str(tiny), tmp_path).chat_template == "{{ messages }}"


@pytest.mark.parametrize("changes", [{}, {"use_rslora": True}, {"alpha_pattern": {"q_proj": 3}}])
def test_a_gguf_adapter_holds_what_the_adapter_adds(tiny: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    import gguf
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    adapter = make_tiny_adapter(tiny, tmp_path / "adapter", seed=2, **changes)
    assert run(tiny, adapter, tmp_path / "out", "gguf")[-1] == {"done": True}
    reader = gguf.GGUFReader(str(tmp_path / "out" / "my-adapter.gguf"))
    field = {name: each.contents() for name, each in reader.fields.items()}
    assert (field["general.type"], field["adapter.type"], field["general.architecture"]) == ("adapter", "lora", "llama")
    tensors = {tensor.name: np.array(tensor.data) for tensor in reader.tensors}
    model: Any = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(str(tiny)), str(adapter))
    layer = model.base_model.model.model.layers[1]
    for name, module, heads in (
        ("blk.1.attn_q", layer.self_attn.q_proj, 4),
        ("blk.1.attn_k", layer.self_attn.k_proj, 2),
        ("blk.1.ffn_down", layer.mlp.down_proj, None),
    ):
        a, b = tensors[f"{name}.weight.lora_a"], tensors[f"{name}.weight.lora_b"]
        found = field["adapter.lora.alpha"] / a.shape[0] * b @ a
        wanted = module.get_delta_weight("default").detach().numpy()
        if heads is not None:
            wanted = wanted.reshape(heads, 2, -1, wanted.shape[1]).swapaxes(1, 2).reshape(wanted.shape)
        assert np.allclose(found, wanted, atol=1e-5), name


def test_a_modelfile_lies_beside_it(tiny: Path, adapter: Path, tmp_path: Path) -> None:
    from clara_trainer.data.chat_template import SHIPPED_TEMPLATE
    from clara_trainer.export.merged import load_tokenizer
    from clara_trainer.export.modelfile import modelfile

    tokenizer = load_tokenizer(str(tiny), adapter)
    assert "TEMPLATE" not in modelfile("b", adapter, "x.gguf", tokenizer)
    (tmp_path / "chat_template.jinja").write_text(SHIPPED_TEMPLATE.read_text(encoding="utf-8"), encoding="utf-8")
    text = modelfile("b", tmp_path, "x.gguf", tokenizer)
    assert "ADAPTER ./x.gguf\n" in text
    assert 'else if eq .Role "user" }}### User:' in text


def test_what_cannot_be_written_says_why(tiny: Path, adapter: Path, tmp_path: Path) -> None:
    other = tmp_path / "base"
    other.mkdir()
    config = json.loads((tiny / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "model_type": "mamba"}))
    [*_, last] = run(other, adapter, tmp_path / "out", "gguf")
    assert "mamba is not written as GGUF" in last["failed"]["message"]
    [*_, last] = run(tmp_path / "nothing", adapter, tmp_path / "out2", "merged")
    assert last["failed"]["message"].startswith("The export failed")


def test_it_ends_with_whoever_started_it(tiny: Path, adapter: Path, tmp_path: Path) -> None:
    process = start(tiny, adapter, tmp_path / "out", "merged")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    if process.poll() is None:
        os.kill(process.pid, signal.SIGKILL)
    process.stdout.close()
    assert process.wait() == 1
