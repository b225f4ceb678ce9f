"""From the body of a request to what is asked of the rows; pure, the tokenizer comes in `wishes.py`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, cast

from clara_trainer.data.example import Turn
from clara_trainer.serve import fields
from clara_trainer.serve.fields import Body, flag, mapping, number, refuse, shown, text, texts, whole
from clara_trainer.serve.penalties import Penalties
from clara_trainer.serve.problem import Problem, bad
from clara_trainer.serve.sampling import Sampler

MOST_CHOICES = 128
MOST_LOGPROBS = 20
MOST_STOPS = 16
MOST_TOKENS = 1 << 31
UNKNOWN: dict[str, tuple[object, ...]] = {
    "tools": ([],),
    "functions": ([],),
    "tool_choice": ("none", "auto"),
    "suffix": ("",),
    "best_of": (1,),
    "prompt_logprobs": (0,),
    "use_beam_search": (False,),
    "modalities": (["text"],),
    "audio": (),
}
Format = Literal["text", "json_object", "json_schema"]
Prompt = str | tuple[int, ...]


@dataclass(frozen=True)
class Limits:
    """`max_tokens` None: as many as the context holds."""

    max_tokens: int | None
    min_tokens: int
    stops: tuple[str, ...]
    stop_ids: frozenset[int]
    ignore_eos: bool


@dataclass(frozen=True)
class Asked:
    """`turns` of a chat, or `prompts`; `top` None: no log probabilities, else so many of the likeliest tokens."""

    model: str
    turns: tuple[Turn, ...]
    prompts: tuple[Prompt, ...]
    sampler: Sampler
    penalties: Penalties
    limits: Limits
    choices: int
    stream: bool
    include_usage: bool
    top: int | None
    echo: bool
    schema: dict[str, Any] | None

    @property
    def is_chat(self) -> bool:
        return bool(self.turns)


def asked_chat(body: Body, defaults: Body) -> Asked:
    refuse(body, UNKNOWN)
    top = whole(body, "top_logprobs", 0, MOST_LOGPROBS)
    wants = flag(body, "logprobs")
    if top and not wants:
        raise bad("top_logprobs", "top_logprobs needs logprobs: true")
    most = "max_completion_tokens" if body.get("max_completion_tokens") is not None else "max_tokens"
    return Asked(
        turns=turns_of(body.get("messages")),
        prompts=(),
        limits=limits_of(body, whole(body, most, 1, MOST_TOKENS)),
        top=(top or 0) if wants else None,
        echo=False,
        schema=schema_of(body),
        **common(body, defaults),
    )


def asked_completion(body: Body, defaults: Body) -> Asked:
    refuse(body, UNKNOWN)
    most = whole(body, "max_tokens", 0, MOST_TOKENS)
    echo = flag(body, "echo")
    if most == 0 and not echo:
        raise bad("max_tokens", "max_tokens must be at least 1, or 0 with echo: true")
    return Asked(
        turns=(),
        prompts=prompts_of(body.get("prompt")),
        limits=limits_of(body, 16 if most is None else most),
        top=whole(body, "logprobs", 0, MOST_LOGPROBS),
        echo=echo,
        schema=schema_of(body),
        **common(body, defaults),
    )


def common(body: Body, defaults: Body) -> dict[str, Any]:
    stream = flag(body, "stream")
    return {
        "model": text(body, "model"),
        "sampler": sampler_of(body, defaults),
        "penalties": penalties_of(body),
        "choices": whole(body, "n", 1, MOST_CHOICES) or 1,
        "stream": stream,
        "include_usage": stream and flag(mapping(body, "stream_options"), "include_usage"),
    }


def sampler_of(body: Body, defaults: Body) -> Sampler:
    """What is not said is the model's own default (generation_config.json), else OpenAI's."""
    given = {**defaults, **{name: value for name, value in body.items() if value is not None}}
    top_p = number(given, "top_p", 1.0, 0.0, 1.0)
    if top_p == 0:
        raise bad("top_p", "top_p must be greater than 0; for the likeliest token take temperature 0")
    top_k = whole(given, "top_k", -1, MOST_TOKENS)
    return Sampler(
        temperature=number(given, "temperature", 1.0, 0.0, 2.0),
        top_p=top_p,
        top_k=max(0, top_k or 0),
        min_p=number(given, "min_p", 0.0, 0.0, 1.0),
        seed=whole(given, "seed", -(1 << 63), (1 << 64) - 1),
    )


def penalties_of(body: Body) -> Penalties:
    repetition = number(body, "repetition_penalty", 1.0, 0.0, 10.0)
    if repetition == 0:
        raise bad("repetition_penalty", "repetition_penalty must be greater than 0; 1 is none")
    given = mapping(body, "logit_bias")
    try:
        bias = {int(token): number(given, token, 0.0, -100.0, 100.0) for token in given}
    except (ValueError, Problem) as error:
        raise bad("logit_bias", f"logit_bias must map token ids to numbers from -100 to 100: {error}") from error
    return Penalties(
        presence=number(body, "presence_penalty", 0.0, -2.0, 2.0),
        frequency=number(body, "frequency_penalty", 0.0, -2.0, 2.0),
        repetition=repetition,
        bias=bias,
    )


def limits_of(body: Body, max_tokens: int | None) -> Limits:
    stop_ids = body.get("stop_token_ids") or []
    if not fields.ids(stop_ids):
        raise bad("stop_token_ids", f"stop_token_ids must be a list of token ids, not {shown(stop_ids)}")
    return Limits(
        max_tokens=max_tokens,
        min_tokens=whole(body, "min_tokens", 0, MOST_TOKENS) or 0,
        stops=texts(body, "stop", MOST_STOPS),
        stop_ids=frozenset(stop_ids),
        ignore_eos=flag(body, "ignore_eos"),
    )


def turns_of(messages: object) -> tuple[Turn, ...]:
    if not isinstance(messages, list) or not messages:
        raise bad("messages", f"messages must be a list of at least one message, not {shown(messages)}")
    return tuple(turn_of(message, f"messages[{at}]") for at, message in enumerate(messages))


def turn_of(message: object, place: str) -> Turn:
    if not isinstance(message, dict):
        raise bad(place, f"{place} must be an object with role and content, not {shown(message)}")
    role = message.get("role")
    if not isinstance(role, str) or not role:
        raise bad(f"{place}.role", f"{place}.role must be a text such as user, not {shown(role)}")
    if message.get("tool_calls"):
        raise bad(f"{place}.tool_calls", "tool calls are not supported by the embedded engine")
    # OpenAI's newer name of the same role.
    known = "system" if role == "developer" else role
    return Turn(cast(Any, known), content_of(message.get("content"), f"{place}.content"))


def content_of(content: object, place: str) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise bad(place, f"{place} must be a text or a list of text parts, not {shown(content)}")
    parts = []
    for part in content:
        if not isinstance(part, dict) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            raise bad(place, f"{place} may hold parts of type text only, not {shown(part)}")
        parts.append(part["text"])
    return "\n".join(parts)


def prompts_of(prompt: object) -> tuple[Prompt, ...]:
    """A text, several, token ids, or several lists of these."""
    if isinstance(prompt, str):
        return (prompt,)
    if isinstance(prompt, list) and prompt:
        if fields.ids(prompt):
            return (tuple(prompt),)
        if all(isinstance(one, str) for one in prompt):
            return tuple(prompt)
        if all(fields.ids(one) and one for one in prompt):
            return tuple(tuple(one) for one in prompt)
    raise bad("prompt", f"prompt must be a text, a list of texts, or token ids, not {shown(prompt)}")


def schema_of(body: Body) -> dict[str, Any] | None:
    """The JSON schema that the answer must meet."""
    wanted = mapping(body, "response_format")
    kind = wanted.get("type", "text")
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": "object"}
    if kind != "json_schema":
        raise bad("response_format", f"response_format.type is {shown(kind)}, not text, json_object or json_schema")
    schema = mapping(mapping(wanted, "json_schema"), "schema")
    if not schema:
        raise bad("response_format", "response_format.json_schema.schema is missing")
    return dict(schema)
