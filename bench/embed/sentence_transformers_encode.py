"""sentence-transformers' own encode() on the texts of a JSON file; one round for each line of standard input.

usage: sentence_transformers_encode.py MODEL TEXTS.json THREADS VECTORS.json
Prints ``{"seconds"}`` a round; the vectors of the last one are in VECTORS.json when the input ends.
"""

from __future__ import annotations

import json
import sys
import time

started = time.perf_counter()

import torch  # noqa: E402
from sentence_transformers import SentenceTransformer  # noqa: E402

model, texts, threads, target = sys.argv[1], json.load(open(sys.argv[2])), int(sys.argv[3]), sys.argv[4]
torch.set_num_threads(threads)
encoder = SentenceTransformer(model, device="cpu")
encoder.encode(["Probe"])
print(json.dumps({"start": time.perf_counter() - started}), flush=True)
vectors = None
for _ in sys.stdin:
    started = time.perf_counter()
    vectors = encoder.encode(texts, normalize_embeddings=True, show_progress_bar=False)
    print(json.dumps({"seconds": time.perf_counter() - started}), flush=True)
if vectors is not None:
    json.dump(vectors.tolist(), open(target, "w"))
