"""The embedding worker as the application starts it, on a tiny random BERT."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from embed_client import TEXT, Client, Vectors
from runs import environment
from tiny_encoder import make_tiny_encoder, write

LONG = " ".join([TEXT, "die frist", "den bescheid kann die behörde zurück nehmen"] * 4)


def by_hand(folder: Path, ids: list[int], pooling: str) -> Vectors:
    """Hidden states of transformers, pooled and normalised here."""
    import torch
    from transformers import AutoModel

    model = AutoModel.from_pretrained(str(folder)).eval()
    with torch.inference_mode():
        hidden = model(input_ids=torch.tensor([ids])).last_hidden_state[0].numpy()
    pooled = {"mean": hidden.mean(axis=0), "cls": hidden[0], "lasttoken": hidden[-1]}[pooling]
    return cast(Vectors, pooled / np.linalg.norm(pooled))


def ids_of(folder: Path, text: str) -> list[int]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer.encode(text).ids


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[Client]:
    client = Client(str(folder), "--query-prefix=query: ", "--passage-prefix=passage: ", "--batch=4", "--nice=5")
    ready = client.hear()["ready"]
    assert ready == {
        "name": "tiny",
        "dimension": 16,
        "max_tokens": 16,
        "pooling": "mean",
        "query_prefix": "query: ",
        "passage_prefix": "passage: ",
    }
    yield client
    assert client.close() == 0


def test_vectors_are_the_mean_of_the_hidden_states_with_the_prefix(client: Client, folder: Path) -> None:
    for use in ("query", "passage"):
        expected = by_hand(folder, ids_of(folder, f"{use}: {TEXT}"), "mean")
        np.testing.assert_allclose(client.embed([TEXT], use)[0], expected, atol=1e-6)


def test_the_prefix_and_the_neighbours_matter_only_where_they_should(client: Client) -> None:
    texts = [TEXT, "frist", "", LONG, "die frist die", *[TEXT] * 10]
    together = client.embed(texts)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)
    for index in range(5):
        np.testing.assert_allclose(client.embed([texts[index]])[0], together[index], atol=1e-5)
    assert float(client.embed(["frist"], "query")[0] @ together[1]) < 0.999


def test_a_long_text_is_the_mean_of_its_windows_by_their_tokens(client: Client, folder: Path) -> None:
    prefix = ids_of(folder, "passage: ")[1:-1]
    body = ids_of(folder, LONG)[1:-1]
    room = 16 - 2 - len(prefix)
    parts = -(-len(body) // room)
    assert parts > 3
    total = np.zeros(16)
    for part in range(parts):
        window = body[len(body) * part // parts : len(body) * (part + 1) // parts]
        total += len(window) * by_hand(folder, [2, *prefix, *window, 3], "mean")
    np.testing.assert_allclose(client.embed([LONG])[0], total / np.linalg.norm(total), atol=1e-5)


def test_tokens_are_counted_without_special_ones_and_without_a_limit(client: Client, folder: Path) -> None:
    assert client.count(["", "frist", TEXT, LONG]) == [0, 1, 7, len(ids_of(folder, LONG)) - 2]


def test_a_question_passes_by_passages_and_counting_by_both(client: Client) -> None:
    many = client.send(**{"embed": [TEXT] * 400, "as": "passage"})
    client.hear()
    question = client.send(**{"embed": [TEXT], "as": "query"})
    counted = client.send(count=[TEXT])
    order = [client.answer()["id"] for _ in range(3)]
    assert set(order[:2]) == {question, counted}
    assert order[2] == many


def test_what_is_cancelled_is_not_answered(client: Client) -> None:
    many = client.send(**{"embed": [LONG] * 400, "as": "passage"})
    client.hear()
    client.send(cancel=many)
    np.testing.assert_allclose(client.embed([TEXT], "query"), client.embed([TEXT], "query"), atol=1e-6)


def test_a_request_that_fails_is_answered_so(client: Client) -> None:
    client.send(**{"embed": [None], "as": "passage"})
    assert client.answer()["error"]
    assert client.embed([TEXT]).shape == (1, 16)


@pytest.mark.parametrize("pooling", ["cls", "lasttoken"])
def test_the_pooling_is_the_one_of_the_model(tmp_path: Path, pooling: str) -> None:
    key = "pooling_mode_cls_token" if pooling == "cls" else "pooling_mode_lasttoken"
    folder = make_tiny_encoder(tmp_path / "model", key)
    write(folder / "config_sentence_transformers.json", {"prompts": {"query": "die frist: ", "document": ""}})
    client = Client(str(folder))
    assert client.hear()["ready"]["query_prefix"] == "die frist: "
    # Of uneven length, so that one is padded.
    vectors = client.embed([TEXT, "frist"])
    for index, text in enumerate([TEXT, "frist"]):
        np.testing.assert_allclose(vectors[index], by_hand(folder, ids_of(folder, text), pooling), atol=1e-6)
    assert client.close() == 0


@pytest.mark.parametrize("delay", [0.0, 0.5, 6.0])
def test_it_ends_with_its_parent_whatever_it_does(folder: Path, delay: float) -> None:
    parent = (
        "import subprocess, sys, time; p = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE); "
        "print(p.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", parent, sys.executable, "-m", "clara_trainer.embed", f"--model={folder}"]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
    assert process.stdout
    worker = int(process.stdout.readline())
    time.sleep(delay)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{worker}/stat").exists() and " Z " not in Path(f"/proc/{worker}/stat").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
