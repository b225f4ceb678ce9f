"""Whether the merges of a BPE are those that SentencePiece makes of its scores."""

from __future__ import annotations

from clara_trainer.export.gguf_shape import must

Pair = tuple[str, str]


def ranks_of(merges: list[Pair]) -> dict[str, int]:
    """Piece -> number of the first merge that makes it; the lower, the sooner."""
    ranks: dict[str, int] = {}
    for number, (left, right) in enumerate(merges):
        ranks.setdefault(left + right, number)
    return ranks


def must_be_ordered(merges: list[Pair], pieces: set[str]) -> None:
    """
    SentencePiece joins any two neighbours whose whole is a piece, the one of the best score first. A list of merges
    says the same where all pairs of one piece stand together, and none is missing.
    """
    seen: set[str] = set()
    last = None
    for left, right in merges:
        whole = left + right
        must(whole == last or whole not in seen, f"its merges of {whole!r} stand apart")
        seen.add(whole)
        last = whole
    known = set(merges)
    for piece in pieces:
        for at in range(1, len(piece)):
            pair = piece[:at], piece[at:]
            is_missing = pair not in known and pair[0] in pieces and pair[1] in pieces
            must(not is_missing, f"its merges have no {pair[0]!r} with {pair[1]!r}")
