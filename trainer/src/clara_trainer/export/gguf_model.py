"""
A base model with its adapter merged as one GGUF file, for llama.cpp and Ollama.

Matrices in 16-bit floats, everything else in 32, names and order as llama.cpp's own converter writes them
(``conversion/`` of https://github.com/ggml-org/llama.cpp). Each kind of model here is compared with transformers in
``test/peers/merged-gguf.spec.ts``; what llama.cpp would compute otherwise is refused in ``gguf_shape``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from clara_trainer.export.gguf_adapter import Layers
from clara_trainer.export.gguf_shape import Shape, must, shape_of
from clara_trainer.export.gguf_tokenizer import Vocabulary, vocabulary_of
from clara_trainer.export.merged import Tell, load_tokenizer, merged_model
from clara_trainer.export.problem import ExportProblem

LARGEST_FLOAT16 = 65504.0


class Weights:
    """The tensors of a merged model, one at a time: [rows, columns] float16, or [length] float32."""

    def __init__(self, model: Any, layers: Layers, shape: Shape) -> None:
        state = model.state_dict()
        is_tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
        must(is_tied or shape.may_be_untied, "its head has weights of its own, which llama.cpp has not for it")
        if is_tied:
            state.pop("lm_head.weight", None)
        self.layers, self.shape = layers, shape
        # Sorted out before anything is written: a name that is not known ends it here.
        self.sources = {self.name_of(name): (name, tensor) for name, tensor in state.items()}

    def name_of(self, name: str) -> str:
        found: str | None = self.layers.names.get_name(name, try_suffixes=(".weight", ".bias"))
        if found is None:
            raise ExportProblem(f"The weight {name} has no name in GGUF for {self.layers.name}; export it merged")
        return found

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        for name, (source, tensor) in self.sources.items():
            yield name, self.values(source, tensor)

    def values(self, source: str, tensor: Any) -> Any:
        import numpy as np

        values = tensor.detach().float().numpy()
        if source.endswith("norm.weight"):
            values = values + np.float32(self.shape.norm_shift)
        values = self.layers.rows_of(source.rsplit(".", 1)[0], values)
        if values.ndim < 2:
            return np.ascontiguousarray(values)
        # The negation takes in what is no number.
        if not np.abs(values).max() <= LARGEST_FLOAT16:
            raise ExportProblem(f"The weight {source} does not fit into 16-bit floats; export it merged")
        return np.ascontiguousarray(values.astype(np.float16))


def rope_factors(model: Any, shape: Shape) -> Any:
    """By what each frequency [head_dim / 2] is divided; None where it is by nothing."""
    import numpy as np

    if not shape.has_rope_factors:
        return None
    exponents = np.arange(0, shape.head_dim, 2, dtype=np.float64) / shape.head_dim
    used = model.model.rotary_emb.inv_freq.double().numpy()
    return (shape.rope_theta**-exponents / used).astype(np.float32)


def describe(writer: Any, shape: Shape, name: str) -> None:
    import gguf

    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(name)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.hidden)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head_dim)
    writer.add_value_length(shape.head_dim)
    writer.add_rope_dimension_count(shape.head_dim)
    writer.add_rope_freq_base(shape.rope_theta)
    writer.add_layer_norm_rms_eps(shape.norm_epsilon)
    for key, value in shape.more.items():
        getattr(writer, f"add_{key}")(value)


def describe_tokens(writer: Any, vocabulary: Vocabulary, tokenizer: Any) -> None:
    writer.add_tokenizer_model(vocabulary.kind)
    writer.add_tokenizer_pre(vocabulary.pre)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    if vocabulary.scores:
        writer.add_token_scores(vocabulary.scores)
        writer.add_add_space_prefix(vocabulary.has_space_prefix)
    if vocabulary.merges:
        writer.add_token_merges(vocabulary.merges)
    for kind in ("bos", "eos", "unk", "pad"):
        token = getattr(tokenizer, f"{kind}_token_id")
        if token is not None and token < len(vocabulary.tokens):
            getattr(writer, f"add_{kind}_token_id")(token)
    writer.add_add_bos_token(vocabulary.adds_bos)
    writer.add_add_eos_token(vocabulary.adds_eos)
    writer.add_chat_template(tokenizer.chat_template)


def write_tensors(writer: Any, weights: Weights, factors: Any, tell: Tell) -> None:
    """The list of all first, then one after the other: no second model lies in memory."""
    for name, (_, tensor) in weights.sources.items():
        is_matrix = tensor.ndim > 1
        size = tensor.numel() * (2 if is_matrix else 4)
        writer.add_tensor_info(name, tuple(tensor.shape), *float_type(is_matrix), size)
    if factors is not None:
        writer.add_tensor_info("rope_freqs.weight", factors.shape, *float_type(False), factors.nbytes)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for number, (_, values) in enumerate(weights):
        writer.write_tensor_data(values)
        tell("writing the model", 0.6 + 0.4 * (number + 1) / (len(weights.sources) + 1))
    if factors is not None:
        writer.write_tensor_data(factors)


def float_type(is_matrix: bool) -> tuple[Any]:
    import numpy as np

    return (np.dtype(np.float16 if is_matrix else np.float32),)


def write_merged_gguf(base: str, adapter: Path, out: Path, name: str, tell: Tell) -> Any:
    """``<name>.gguf`` and the tokenizer's files in ``out``; nearly all refusals come before the model is loaded.

    @returns the tokenizer
    """
    import gguf
    from transformers import AutoConfig

    tell("looking at the base model", 0.02)
    config = AutoConfig.from_pretrained(base)
    layers, shape = Layers(config.to_dict()), shape_of(config)
    tokenizer = load_tokenizer(base, adapter)
    vocabulary = vocabulary_of(tokenizer, shape.vocabulary)
    model = merged_model(base, adapter, tell)
    weights = Weights(model, layers, shape)
    writer = gguf.GGUFWriter(str(out / f"{name}.gguf"), layers.name)
    describe(writer, shape, name)
    describe_tokens(writer, vocabulary, tokenizer)
    write_tensors(writer, weights, rope_factors(model, shape), tell)
    writer.close()
    tokenizer.save_pretrained(out)
    return tokenizer
