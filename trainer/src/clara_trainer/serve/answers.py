"""OpenAI's answer shapes, whole and in chunks."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from clara_trainer.serve.row import Piece
from clara_trainer.serve.sampling import TokenScore
from clara_trainer.serve.vocabulary import Vocabulary
from clara_trainer.serve.wishes import Order

Json = dict[str, Any]


@dataclass
class Choice:
    """What has come of a row so far. `offset`: characters told in log probabilities."""

    text: str = ""
    tokens: int = 0
    finish: str | None = None
    stopped: str | int | None = None
    scores: list[TokenScore | None] = field(default_factory=list)
    begun: bool = False
    offset: int = 0

    def add(self, piece: Piece) -> None:
        self.text += piece.text
        self.tokens += piece.tokens
        self.finish, self.stopped = piece.finish, piece.stopped
        self.scores += piece.scores


class Answer:
    """The answer to one order; `name` is the model as the client named it."""

    def __init__(self, order: Order, name: str, vocabulary: Vocabulary) -> None:
        self.order = order
        self.asked = order.asked
        self.vocabulary = vocabulary
        self.choices = [Choice() for _ in order.wishes]
        kind = "chat.completion" if self.asked.is_chat else "text_completion"
        chunk = ".chunk" if self.asked.is_chat and self.asked.stream else ""
        prefix = "chatcmpl" if self.asked.is_chat else "cmpl"
        self.head: Json = {
            "id": f"{prefix}-{uuid.uuid4().hex}",
            "object": f"{kind}{chunk}",
            "created": int(time.time()),
            "model": name,
        }

    def usage(self) -> Json:
        prompt, written = self.order.prompt_tokens, sum(choice.tokens for choice in self.choices)
        return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}

    def add(self, index: int, piece: Piece) -> None:
        choice = self.choices[index]
        if self.asked.echo and not choice.begun:
            choice.text += self.order.prompts[index // self.asked.choices][0]
            if self.asked.top is not None:
                choice.scores += [None, *(piece.prompt_scores or ())]
        choice.begun = True
        choice.add(piece)

    def whole(self) -> Json:
        choices = [self.chat(index) if self.asked.is_chat else self.plain(index) for index in range(len(self.choices))]
        return {**self.head, "choices": choices, "usage": self.usage()}

    def chat(self, index: int) -> Json:
        choice = self.choices[index]
        return {
            "index": index,
            "message": {"role": "assistant", "content": choice.text, "refusal": None},
            "logprobs": self.chat_logprobs(choice.scores),
            "finish_reason": choice.finish,
            "stop_reason": choice.stopped,
        }

    def plain(self, index: int) -> Json:
        choice = self.choices[index]
        return {
            "index": index,
            "text": choice.text,
            "logprobs": self.plain_logprobs(index, choice),
            "finish_reason": choice.finish,
            "stop_reason": choice.stopped,
        }

    def chunks(self, index: int, piece: Piece) -> list[Json]:
        """What is told of a piece while it streams; nothing for a token that is no text yet."""
        choice = self.choices[index]
        first = not choice.begun
        self.add(index, piece)
        found = []
        if first and self.asked.is_chat:
            found.append(self.chunk(index, {"delta": {"role": "assistant", "content": ""}, "logprobs": None}))
        if choice.text or choice.scores or choice.finish:
            found.append(self.chunk(index, self.told(index, choice)))
        choice.text, choice.scores = "", []
        return found

    def told(self, index: int, choice: Choice) -> Json:
        ends = {"finish_reason": choice.finish, "stop_reason": choice.stopped} if choice.finish else {}
        if self.asked.is_chat:
            delta = {"content": choice.text} if choice.text or not choice.finish else {}
            return {"delta": delta, "logprobs": self.chat_logprobs(choice.scores), **ends}
        return {"text": choice.text, "logprobs": self.plain_logprobs(index, choice), **ends}

    def chunk(self, index: int, told: Json) -> Json:
        usage = {"usage": None} if self.asked.include_usage else {}
        return {**self.head, "choices": [{"index": index, "finish_reason": None, **told}], **usage}

    def last_chunk(self) -> Json:
        return {**self.head, "choices": [], "usage": self.usage()}

    def chat_logprobs(self, scores: Sequence[TokenScore | None]) -> Json | None:
        if self.asked.top is None:
            return None
        content = [
            {
                **self.chat_token(score.token, score.logprob),
                "top_logprobs": [self.chat_token(token, logprob) for token, logprob in score.top],
            }
            for score in scores
            if score is not None
        ]
        return {"content": content, "refusal": None}

    def chat_token(self, token: int, logprob: float) -> Json:
        raw = self.vocabulary.bytes_of(token)
        return {"token": raw.decode(errors="replace"), "logprob": logprob, "bytes": list(raw)}

    def plain_logprobs(self, index: int, choice: Choice) -> Json | None:
        if self.asked.top is None:
            return None
        first = self.order.prompts[index // self.asked.choices][1][:1]
        tokens, offsets = [], []
        for score in choice.scores:
            text = self.vocabulary.text_of(first[0] if score is None else score.token)
            tokens.append(text)
            offsets.append(choice.offset)
            choice.offset += len(text)
        return {
            "tokens": tokens,
            "token_logprobs": [None if score is None else score.logprob for score in choice.scores],
            "top_logprobs": [None if score is None else self.best(score) for score in choice.scores],
            "text_offset": offsets,
        }

    def best(self, score: TokenScore) -> dict[str, float]:
        """The likeliest tokens, and the one that was taken."""
        found = {score.token: score.logprob, **dict(score.top)}
        return {self.vocabulary.text_of(token): logprob for token, logprob in found.items()}
