"""What GGUF says of a model's layers, and which models llama.cpp computes as transformers does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from clara_trainer.export.gguf_adapter import ARCHITECTURES
from clara_trainer.export.problem import ExportProblem

# Built into llama.cpp for its kind: every so manieth layer sees the whole text, from which the others see a window.
GEMMA3_PATTERN, GEMMA2_PATTERN = 6, 2
GEMMA3_LOCAL_THETA = 10_000.0
GELU = ("gelu_pytorch_tanh", "gelu")


@dataclass(frozen=True)
class Shape:
    vocabulary: int
    context: int
    hidden: int
    layers: int
    feed_forward: int
    heads: int
    kv_heads: int
    head_dim: int
    rope_theta: float
    norm_epsilon: float
    may_be_untied: bool
    has_rope_factors: bool
    # Gemma multiplies by 1 + weight, llama.cpp by the weight.
    norm_shift: float
    # Method of GGUFWriter, after ``add_``, to its value.
    more: dict[str, Any] = field(default_factory=dict)


def refuse(what: str) -> ExportProblem:
    return ExportProblem(
        f"The base is not written as GGUF: {what}; export it merged, and convert it with llama.cpp's own"
    )


def must(is_so: bool, what: str) -> None:
    if not is_so:
        raise refuse(what)


def shape_of(config: Any) -> Shape:
    """@raises ExportProblem for what llama.cpp would compute otherwise, or what nobody has compared."""
    kind = ARCHITECTURES[str(config.model_type)] if config.model_type in ARCHITECTURES else None
    if kind is None:
        raise refuse(f"it is of the kind {config.model_type}, and only {', '.join(ARCHITECTURES)} are known")
    is_gemma = kind.startswith("GEMMA")
    activation = getattr(config, "hidden_activation", None) or config.hidden_act
    must(activation in (GELU[:1] if is_gemma else ("silu",)), f"llama.cpp has no {activation} for it")
    rope, more = ROPES.get(kind, plain_rope)(config)
    heads = int(config.num_attention_heads)
    return Shape(
        vocabulary=int(config.vocab_size),
        context=context_of(config, kind),
        hidden=int(config.hidden_size),
        layers=int(config.num_hidden_layers),
        feed_forward=int(config.intermediate_size),
        heads=heads,
        kv_heads=int(config.num_key_value_heads or heads),
        head_dim=int(getattr(config, "head_dim", None) or config.hidden_size // heads),
        rope_theta=float(rope["rope_theta"]),
        norm_epsilon=float(config.rms_norm_eps),
        may_be_untied=not is_gemma,
        has_rope_factors=rope["rope_type"] == "llama3",
        norm_shift=1.0 if is_gemma else 0.0,
        more=more,
    )


Found = tuple[dict[str, Any], dict[str, Any]]


def plain_rope(config: Any) -> Found:
    rope = config.rope_parameters
    allowed = ("default", "llama3") if config.model_type == "llama" else ("default",)
    must(rope["rope_type"] in allowed, f"its positions are scaled by {rope['rope_type']}")
    types = getattr(config, "layer_types", None) or []
    must(all(each == "full_attention" for each in types), "some of its layers see a window of the text only")
    return rope, {}


def gemma2_rope(config: Any) -> Found:
    rope = config.rope_parameters
    must(rope["rope_type"] == "default", f"its positions are scaled by {rope['rope_type']}")
    must_be_every(config, GEMMA2_PATTERN)
    must(config.attn_logit_softcapping is not None, "it has no attn_logit_softcapping")
    must(config.final_logit_softcapping is not None, "it has no final_logit_softcapping")
    return rope, {
        "sliding_window": int(config.sliding_window),
        "attn_logit_softcapping": float(config.attn_logit_softcapping),
        "final_logit_softcapping": float(config.final_logit_softcapping),
    }


def gemma3_rope(config: Any) -> Found:
    import gguf

    everywhere, local = config.rope_parameters["full_attention"], config.rope_parameters["sliding_attention"]
    must(everywhere["rope_type"] in ("default", "linear"), f"its positions are scaled by {everywhere['rope_type']}")
    must(local["rope_type"] == "default", "the positions of its windows are scaled")
    must(local["rope_theta"] == GEMMA3_LOCAL_THETA, f"its rope_local_base_freq is not {GEMMA3_LOCAL_THETA:.0f}")
    must(not config.attn_logit_softcapping, "it has attn_logit_softcapping")
    must(not config.final_logit_softcapping, "it has final_logit_softcapping")
    must(not getattr(config, "use_bidirectional_attention", False), "its attention looks ahead")
    must_be_every(config, GEMMA3_PATTERN)
    more: dict[str, Any] = {"sliding_window": int(config.sliding_window)}
    if everywhere["rope_type"] == "linear":
        more |= {"rope_scaling_type": gguf.RopeScalingType.LINEAR, "rope_scaling_factor": float(everywhere["factor"])}
    return everywhere, more


def must_be_every(config: Any, pattern: int) -> None:
    """And that its attention is scaled by the size of the heads, which llama.cpp does but for the 27B models."""
    sees_all = [each == "full_attention" for each in config.layer_types]
    wanted = [(at + 1) % pattern == 0 for at in range(len(sees_all))]
    must(sees_all == wanted, f"not every {pattern}th layer sees the whole text")
    must(config.query_pre_attn_scalar == config.head_dim, "its query_pre_attn_scalar is not its head_dim")


ROPES: dict[str, Callable[[Any], Found]] = {"GEMMA2": gemma2_rope, "GEMMA3": gemma3_rope}


def context_of(config: Any, kind: str) -> int:
    """Mistral's window, which llama.cpp does not know: nothing is hidden within it."""
    most = int(config.max_position_embeddings)
    window = getattr(config, "sliding_window", None)
    return min(most, int(window)) if kind == "LLAMA" and window else most
