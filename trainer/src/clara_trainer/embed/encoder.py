"""The model itself: tokens of texts, and unit vectors of windows."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, cast

from clara_trainer.embed.layout import Layout, Pooling, unusable
from clara_trainer.embed.windows import Frame, Window, windows_of

Device = Literal["cpu", "cuda"]
PROBE = "a"


class Encoder:
    def __init__(self, tokenizer: Any, model: Any, layout: Layout) -> None:
        self.layout = layout
        self.model = model
        self.pad = int(tokenizer.pad_token_id or 0)
        # Shared by threads: nothing may set its truncation and padding again.
        self.tokens = tokenizer.backend_tokenizer
        self.tokens.no_truncation()
        self.tokens.no_padding()
        self.left, self.right = self.special_tokens()

    def special_tokens(self) -> tuple[list[int], list[int]]:
        bare = self.tokens.encode(PROBE, add_special_tokens=False).ids
        full = self.tokens.encode(PROBE).ids
        at = next((index for index in range(len(full)) if full[index : index + len(bare)] == bare), 0)
        return full[:at], full[at + len(bare) :]

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(ids) for ids in self.ids_of(texts)]

    def ids_of(self, texts: Sequence[str]) -> list[list[int]]:
        lowered = [text.lower() for text in texts] if self.layout.lower_case else list(texts)
        return [encoded.ids for encoded in self.tokens.encode_batch_fast(lowered, add_special_tokens=False)]

    def windows(self, texts: Sequence[str], prefix: str) -> list[Window]:
        frame = Frame(self.left, self.right, self.ids_of([prefix])[0], self.layout.max_tokens)
        if frame.room < 1:
            raise ValueError(
                f'the prefix "{prefix}" leaves no room in the {self.layout.max_tokens} tokens of the model'
            )
        encoded = self.ids_of([prefix + text for text in texts])
        return [window for index, ids in enumerate(encoded) for window in windows_of(index, ids, frame)]

    def vectors(self, windows: Sequence[Window]) -> Any:
        """Float32 array of unit vectors (windows, dimension)."""
        import torch

        longest = max(len(window.ids) for window in windows)
        ids = torch.full((len(windows), longest), self.pad, dtype=torch.long)
        mask = torch.zeros((len(windows), longest), dtype=torch.long)
        for row, window in enumerate(windows):
            ids[row, : len(window.ids)] = torch.tensor(window.ids)
            mask[row, : len(window.ids)] = 1
        ids, mask = ids.to(self.model.device), mask.to(self.model.device)
        with torch.inference_mode():
            hidden = self.model(input_ids=ids, attention_mask=mask).last_hidden_state
            pooled = torch.nn.functional.normalize(pool(hidden.float(), mask, self.layout.pooling), dim=1)
        return pooled.cpu().numpy()


def pool(hidden: Any, mask: Any, pooling: Pooling) -> Any:
    if pooling == "cls":
        return hidden[:, 0]
    if pooling == "lasttoken":
        return hidden[range(len(hidden)), mask.sum(dim=1) - 1]
    weights = mask.unsqueeze(-1).float()
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1)


def load_encoder(layout: Layout, device: Device) -> Encoder:
    """Takes seconds: imports torch and transformers. The folder is all that is read."""
    os.environ["TRANSFORMERS_VERBOSITY"] = "error"
    # Nothing of it is needed, and importing it takes over a second.
    sys.modules["bitsandbytes"] = cast(ModuleType, None)
    import torch
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    if device == "cuda" and not torch.cuda.is_available():
        raise unusable(layout.folder, "is to run on a GPU, but torch sees none; set CLARA_EMBEDDING_DEVICE=cpu")
    folder = str(layout.folder)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model = AutoModel.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
        )
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise unusable(Path(folder), f"cannot be loaded: {first}") from error
    if not getattr(tokenizer, "is_fast", False):
        raise unusable(layout.folder, "has no fast tokenizer (tokenizer.json); save one with transformers")
    return Encoder(tokenizer, model.eval().to(device), layout)
