"""Near duplicates by datasketch: `near_duplicates.py <documents> <answers> <sha1|crc32>`; prints seconds as JSON."""

import json
import re
import sys
import time
import zlib

from datasketch import MinHash, MinHashLSH

THRESHOLD = 0.8
WORD = re.compile(r"[^\W_]+")


def shingles(text: str) -> set[bytes]:
    words = WORD.findall(text.lower())
    return {" ".join(words[at : at + 5]).encode() for at in range(len(words) - 4)}


def main(path: str, answers_path: str, hash_name: str) -> None:
    with open(path, encoding="utf-8") as file:
        documents = file.read().splitlines()
    options = {"num_perm": 128} | ({"hashfunc": zlib.crc32} if hash_name == "crc32" else {})
    index = MinHashLSH(num_perm=128, params=(32, 4))
    blank = MinHash(**options)
    signatures: dict[int, MinHash] = {}
    answers: list[int | None] = []
    cpu = time.process_time()
    started = time.perf_counter()
    for number, text in enumerate(documents):
        signature = blank.copy()
        signature.update_batch(shingles(text))
        near = [(signature.jaccard(signatures[other]), other) for other in index.query(signature)]
        best = max(near, default=(0.0, None))
        answers.append(best[1] if best[0] >= THRESHOLD else None)
        index.insert(number, signature)
        signatures[number] = signature
    seconds = time.perf_counter() - started
    cpu_seconds = time.process_time() - cpu
    with open(answers_path, "w", encoding="utf-8") as file:
        json.dump(answers, file)
    print(json.dumps({"seconds": seconds, "cpuSeconds": cpu_seconds}))


main(*sys.argv[1:])
