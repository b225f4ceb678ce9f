"""
A fast tokenizer as GGUF has it: byte-level BPE ("gpt2") or SentencePiece's ("llama").

llama.cpp knows pre-tokenizers by name only and passes over normalizers, so each is recognised by the whole of what
its tokenizer.json says of it; anything else is refused. ``test/peers/merged-gguf.spec.ts`` compares the tokens of both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from clara_trainer.export.gguf_pieces import must_be_ordered, ranks_of
from clara_trainer.export.gguf_shape import must, refuse

CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
AFTER_DIGITS = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
WORDS = rf"{CONTRACTIONS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+"
# Pattern of the split before the bytes -> name in llama.cpp, and whether that takes whole words before any merge.
SPLITS = {
    rf"{WORDS}|\p{{N}}{{1,3}}{AFTER_DIGITS}": ("llama-bpe", True),
    rf"{WORDS}|\p{{N}}{AFTER_DIGITS}": ("qwen2", False),
}
SPACE = "\u2581"
TO_SPACE = {"type": "Replace", "pattern": {"String": " "}, "content": SPACE}
PREFIX = {"type": "Prepend", "prepend": SPACE}
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
BYTES = {f"<0x{byte:02X}>" for byte in range(256)}

Spec = dict[str, Any]


@dataclass
class Vocabulary:
    kind: str
    pre: str
    tokens: list[str]
    types: list[int]
    adds_bos: bool
    adds_eos: bool
    merges: list[str] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    has_space_prefix: bool = False


def vocabulary_of(tokenizer: Any, size: int) -> Vocabulary:
    """@param size rows of the embedding @raises ExportProblem where llama.cpp would make other tokens."""
    import json

    backend: Any = getattr(tokenizer, "backend_tokenizer", None)
    must(backend is not None, "its tokenizer has no tokenizer.json")
    spec: Spec = json.loads(backend.to_str())
    model = spec["model"]
    must(model["type"] == "BPE", f"its tokenizer is of the kind {model['type']}")
    must(not model.get("continuing_subword_prefix") and not model.get("end_of_word_suffix"), "its tokens have marks")
    must(not model.get("dropout"), "its tokenizer is random")
    known = tokens_of(spec, size)
    ends = added_ends(tokenizer)
    return sentence_pieces(spec, known, ends) if model.get("byte_fallback") else byte_level(spec, known, ends)


Known = tuple[list[str], list[int]]
Ends = tuple[bool, bool]


def tokens_of(spec: Spec, size: int) -> Known:
    """A token for each row of the embedding, with its type; rows without one get a name that no text has."""
    tokens = [f"[PAD{number}]" for number in range(size)]
    types = [UNUSED] * size
    for token, number in spec["model"]["vocab"].items():
        if number < size:
            tokens[number], types[number] = token, NORMAL
    for added in spec["added_tokens"]:
        if added["id"] < size:
            tokens[added["id"]] = added["content"]
            types[added["id"]] = CONTROL if added["special"] else USER_DEFINED
    return tokens, types


def added_ends(tokenizer: Any) -> Ends:
    """Whether it puts the mark of the beginning, and that of the end, around every text."""
    bare, whole = tokenizer("a", add_special_tokens=False)["input_ids"], tokenizer("a")["input_ids"]
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    adds_bos, adds_eos = whole[:1] == [bos] != bare[:1], whole[-1:] == [eos] != bare[-1:]
    must([*[bos] * adds_bos, *bare, *[eos] * adds_eos] == whole, "its tokenizer adds other tokens than its marks")
    return adds_bos, adds_eos


def byte_level(spec: Spec, known: Known, ends: Ends) -> Vocabulary:
    # Texts that are composed already, as nearly all are, come out of NFC as they were.
    must((spec["normalizer"] or {"type": "NFC"})["type"] == "NFC", "llama.cpp has no counterpart of its normalizer")
    pre, takes_words = pre_tokenizer(spec["pre_tokenizer"])
    must(bool(spec["model"].get("ignore_merges")) == takes_words, f"its ignore_merges is not that of {pre}")
    merges = [" ".join(pair_of(merge)) for merge in spec["model"]["merges"]]
    return Vocabulary("gpt2", pre, *known, *ends, merges=merges)


def pair_of(merge: Any) -> tuple[str, str]:
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def pre_tokenizer(spec: Spec | None) -> tuple[str, bool]:
    """Its name in llama.cpp, and whether it takes whole words of the vocabulary before any merge."""
    parts = (spec or {}).get("pretokenizers", [spec or {}])
    *splits, last = parts
    unknown = refuse("llama.cpp has no name for its pre-tokenizer")
    if last.get("type") != "ByteLevel" or last.get("add_prefix_space"):
        raise unknown
    if not splits and last.get("use_regex", True):
        return "gpt-2", False
    if len(splits) != 1 or last.get("use_regex", True) or splits[0].get("type") != "Split":
        raise unknown
    split = splits[0]
    found = SPLITS.get(split["pattern"].get("Regex", ""))
    if found is None or split["behavior"] != "Isolated" or split["invert"]:
        raise unknown
    return found


def sentence_pieces(spec: Spec, known: Known, ends: Ends) -> Vocabulary:
    """SentencePiece joins by the score of what comes out, BPE by the rank of the pair: the same, where ordered so."""
    normalizer = spec["normalizer"] or {}
    steps = normalizer.get("normalizers", [normalizer])
    must(steps in ([TO_SPACE], [PREFIX, TO_SPACE]), "llama.cpp has no counterpart of its normalizer")
    split = spec["pre_tokenizer"]
    # With every space replaced there is nothing left to split at.
    splits_at_space = split is None or (split["type"], split.get("pattern")) == ("Split", {"String": " "})
    must(splits_at_space, "llama.cpp has no name for its pre-tokenizer")
    tokens, types = known
    must(set(tokens) >= BYTES, "it has no token for each byte")
    for number, token in enumerate(tokens):
        if token in BYTES:
            types[number] = BYTE
        elif token == spec["model"].get("unk_token"):
            types[number] = UNKNOWN
    merges = [pair_of(merge) for merge in spec["model"]["merges"]]
    ranks = ranks_of(merges)
    must_be_ordered(merges, {token for token, kind in zip(tokens, types, strict=True) if kind == NORMAL})
    scores = [-float(ranks.get(token, len(merges))) for token in tokens]
    return Vocabulary("llama", "default", tokens, types, *ends, scores=scores, has_space_prefix=steps[0] == PREFIX)
