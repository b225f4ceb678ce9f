"""Single tokens as text and bytes, for log probabilities."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")


def byte_characters() -> dict[str, int]:
    """The alphabet of byte-level BPE (GPT-2): a printable character for each byte."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + at): byte for at, byte in enumerate(others)}


class Vocabulary:
    def __init__(self, tokens: Any) -> None:
        self.tokens = tokens
        decoder = b"" if tokens.decoder is None else tokens.decoder.__getstate__()
        self.characters = byte_characters() if b"ByteLevel" in decoder else {}

    @cached_property
    def added(self) -> frozenset[int]:
        return frozenset(self.tokens.get_added_tokens_decoder())

    def bytes_of(self, token: int) -> bytes:
        text = self.tokens.id_to_token(token)
        if text is None:
            return b""
        if token in self.added:
            return str(text).encode()
        if self.characters and all(character in self.characters for character in text):
            return bytes(self.characters[character] for character in text)
        byte = BYTE_TOKEN.fullmatch(text)
        return bytes([int(byte[1], 16)]) if byte else str(text).replace("▁", " ").encode()

    def text_of(self, token: int) -> str:
        return self.bytes_of(token).decode(errors="replace")
