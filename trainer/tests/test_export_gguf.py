"""What is written as one GGUF, and what is refused; that llama.cpp reads it is tested in test/peers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_export import run
from tiny_adapter import make_tiny_adapter
from tiny_kinds import KINDS, TOKENIZERS, make_model, make_tokenizer

from clara_trainer.export.gguf_pieces import must_be_ordered, ranks_of
from clara_trainer.export.gguf_shape import shape_of
from clara_trainer.export.gguf_tokenizer import SPLITS, vocabulary_of
from clara_trainer.export.problem import ExportProblem


@pytest.fixture(scope="module")
def adapter(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_adapter(tiny, tmp_path_factory.mktemp("adapters") / "one", seed=1)


def test_base_and_adapter_are_one_file_with_tokenizer_and_template(tiny: Path, adapter: Path, tmp_path: Path) -> None:
    import gguf
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from clara_trainer.data.chat_template import shipped_template

    assert run(tiny, adapter, tmp_path / "out", "merged-gguf")[-1] == {"done": True}
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names >= {"my-adapter.gguf", "Modelfile", "tokenizer.json", "chat_template.jinja"}
    reader = gguf.GGUFReader(str(tmp_path / "out" / "my-adapter.gguf"))
    field = {name: each.contents() for name, each in reader.fields.items()}
    assert (field["general.type"], field["general.architecture"]) == ("model", "llama")
    assert field["tokenizer.chat_template"] == shipped_template()
    tensors = {tensor.name: np.array(tensor.data) for tensor in reader.tensors}
    model: Any = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(str(tiny)), str(adapter))
    merged = model.merge_and_unload().model.layers[1]
    assert np.array_equal(tensors["blk.1.ffn_down.weight"], merged.mlp.down_proj.weight.detach().half().numpy())
    norm = tensors["blk.1.attn_norm.weight"]
    assert norm.dtype == np.float32
    assert np.array_equal(norm, merged.input_layernorm.weight.detach().numpy())


def test_its_modelfile_names_no_adapter(tmp_path: Path) -> None:
    from clara_trainer.data.chat_template import shipped_template
    from clara_trainer.export.modelfile import merged_modelfile

    tokenizer = make_tokenizer("gpt2", tmp_path / "gpt2")
    text = merged_modelfile(tmp_path, "x.gguf", tokenizer)
    assert text == "FROM ./x.gguf\nPARAMETER temperature 0\nPARAMETER repeat_penalty 1\n"
    (tmp_path / "chat_template.jinja").write_text(shipped_template(), encoding="utf-8")
    text = merged_modelfile(tmp_path, "x.gguf", tokenizer)
    assert 'else if eq .Role "user" }}### User:' in text
    assert "ADAPTER" not in text


def test_its_modelfile_has_the_marks_that_the_template_writes(tiny: Path, tmp_path: Path) -> None:
    from clara_trainer.data.chat_template import shipped_template
    from clara_trainer.export.modelfile import merged_modelfile

    (tmp_path / "chat_template.jinja").write_text(shipped_template(), encoding="utf-8")
    text = merged_modelfile(tmp_path, "x.gguf", make_tokenizer("gpt2", tmp_path / "gpt2"))
    assert 'TEMPLATE """<s>{{- range' in text
    assert "{{ .Content }}</s>\n" in text
    # llama.cpp puts the first itself where the tokenizer does.
    assert 'TEMPLATE """{{- range' in merged_modelfile(
        tmp_path, "x.gguf", make_tokenizer("llama3", tmp_path / "llama3")
    )


@pytest.mark.parametrize("kind", ["qwen2", "gemma3"])
def test_an_adapter_of_a_shared_head_changes_the_head_alone(kind: str, tmp_path: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    from clara_trainer.export.merged import write_merged

    base = tmp_path / "base"
    make_model(kind, len(make_tokenizer("gpt2", base)), base)
    adapter = make_tiny_adapter(base, tmp_path / "adapter", seed=1, target_modules=["lm_head", "q_proj"])
    write_merged(str(base), adapter, tmp_path / "merged", lambda *_: None)
    row = torch.tensor([[5, 6, 7]])
    model: Any = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(str(base)), str(adapter))
    with torch.no_grad():
        found = AutoModelForCausalLM.from_pretrained(str(tmp_path / "merged"))(row).logits
        assert torch.allclose(found, model(row).logits, atol=1e-3)
    [*_, last] = run(base, adapter, tmp_path / "out", "merged-gguf")
    assert ("failed" in last) == (kind == "gemma3")


def config_of(kind: str, **changes: Any) -> Any:
    from transformers import AutoConfig

    name, more = KINDS[kind]
    common = {"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 8, "head_dim": 16}
    return AutoConfig.for_model(name, **{**common, **more, **changes})


@pytest.mark.parametrize(
    ("kind", "changes", "reason"),
    [
        ("llama", {"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 2.0}}, "scaled by yarn"),
        ("llama", {"hidden_act": "relu"}, "no relu"),
        ("qwen2", {"layer_types": ["sliding_attention"] * 8}, "see a window"),
        ("gemma2", {"query_pre_attn_scalar": 144}, "query_pre_attn_scalar"),
        ("gemma2", {"final_logit_softcapping": None}, "final_logit_softcapping"),
        ("gemma3", {"layer_types": ["full_attention"] * 8}, "every 6th layer"),
    ],
)
def test_what_llamacpp_computes_otherwise_is_refused(kind: str, changes: dict[str, Any], reason: str) -> None:
    shape_of(config_of(kind))
    with pytest.raises(ExportProblem, match=f"{reason}.*export it merged"):
        shape_of(config_of(kind, **changes))


def test_mistrals_window_limits_the_context() -> None:
    assert shape_of(config_of("mistral", sliding_window=128, max_position_embeddings=512)).context == 128


@pytest.mark.parametrize("kind", sorted(TOKENIZERS))
def test_tokenizers_that_llamacpp_has(kind: str, tmp_path: Path) -> None:
    tokenizer = make_tokenizer(kind, tmp_path)
    vocabulary = vocabulary_of(tokenizer, len(tokenizer) + 2)
    assert vocabulary.tokens[-1] == f"[PAD{len(tokenizer) + 1}]"
    assert len(vocabulary.types) == len(vocabulary.tokens) == len(tokenizer) + 2
    assert vocabulary.adds_bos == (kind == "llama3")


def changed(kind: str, folder: Path, change: dict[str, Any]) -> Any:
    from transformers import PreTrainedTokenizerFast

    make_tokenizer(kind, folder)
    path = folder / "tokenizer.json"
    spec = json.loads(path.read_text(encoding="utf-8"))
    spec["model"].update(change.pop("model", {}))
    path.write_text(json.dumps({**spec, **change}), encoding="utf-8")
    return PreTrainedTokenizerFast(tokenizer_file=str(path), bos_token="<s>", eos_token="</s>")


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        ("gpt2", {"pre_tokenizer": {"type": "Whitespace"}}, "pre-tokenizer"),
        ("gpt2", {"pre_tokenizer": None}, "pre-tokenizer"),
        ("gpt2", {"normalizer": {"type": "Lowercase"}}, "normalizer"),
        ("gpt2", {"model": {"ignore_merges": True}}, "ignore_merges is not that of gpt-2"),
        ("llama3", {"model": {"ignore_merges": False}}, "ignore_merges is not that of llama-bpe"),
        ("gemma", {"normalizer": None}, "normalizer"),
        ("llama", {"pre_tokenizer": {"type": "Whitespace"}}, "pre-tokenizer"),
    ],
)
def test_tokenizers_that_llamacpp_has_not_are_refused(
    kind: str, change: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(ExportProblem, match=reason):
        vocabulary_of(changed(kind, tmp_path, change), 700)


def test_merges_must_be_those_of_scores() -> None:
    pieces = {"a", "b", "c", "ab", "bc", "abc"}
    ordered = [("a", "b"), ("b", "c"), ("ab", "c"), ("a", "bc")]
    must_be_ordered(ordered, pieces)
    assert ranks_of(ordered) == {"ab": 0, "bc": 1, "abc": 2}
    with pytest.raises(ExportProblem, match="no 'a' with 'bc'"):
        must_be_ordered(ordered[:-1], pieces)
    with pytest.raises(ExportProblem, match="'abc' stand apart"):
        must_be_ordered([("a", "b"), ("ab", "c"), ("b", "c"), ("a", "bc")], pieces)


def test_the_patterns_are_those_of_the_models() -> None:
    from tiny_kinds import LLAMA3

    assert set(SPLITS) == {LLAMA3, LLAMA3.replace("{1,3}", "")}


def test_nothing_is_left_of_what_was_refused(tiny: Path, adapter: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    make_model("llama", len(make_tokenizer("gpt2", base)), base)
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps({**config, "model_type": "phi"}))
    [*_, last] = run(base, adapter, tmp_path / "out", "merged-gguf")
    assert "of the kind phi" in last["failed"]["message"]
    assert list((tmp_path / "out").iterdir()) == []
