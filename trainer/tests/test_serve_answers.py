"""The engine as the application starts it: joint answers, adapters, shapes of the answers, on a tiny random Llama."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from serve_client import KEY, PROMPT, Server
from tiny_adapter import make_tiny_adapter

MESSAGES = [{"role": "user", "content": "Wie lang ist die Frist?"}]


@pytest.fixture(scope="module")
def adapters(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    home = tmp_path_factory.mktemp("adapters")
    patterns: dict[str, Any] = {"rank_pattern": {"q_proj": 2}, "alpha_pattern": {"v_proj": 3}, "use_rslora": True}
    return {
        "plain": make_tiny_adapter(tiny, home / "plain", 1),
        "wide": make_tiny_adapter(tiny, home / "wide", 2, r=7, target_modules=["q_proj", "down_proj"]),
        "patterns": make_tiny_adapter(tiny, home / "patterns", 3, **patterns),
        "head": make_tiny_adapter(tiny, home / "head", 4, target_modules=["lm_head", "o_proj"]),
    }


@pytest.fixture(scope="module")
def server(tiny: Path, adapters: dict[str, Path]) -> Iterator[Server]:
    server = Server(tiny, "--threads=1", "--max-rows=4", "--max-loras=5", "--max-rank=8")
    assert server.said["ready"] == {"port": server.port, "model": "tiny", "device": "cpu", "context": 512}
    for name, folder in adapters.items():
        answer = server.load(name, folder)
        assert answer == (200, f"Success: LoRA adapter '{name}' added successfully."), answer
    yield server
    assert server.close() == 0


def by_hand(tiny: Path, adapter: Path | None, prompt: str, tokens: int) -> tuple[str, list[float], list[int]]:
    """Greedy, with transformers and PEFT alone: text, log probabilities and ids."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(tiny))
    model = AutoModelForCausalLM.from_pretrained(str(tiny))
    if adapter is not None:
        model = PeftModel.from_pretrained(model, str(adapter))
    ids = tokenizer(prompt, return_tensors="pt")["input_ids"]
    begin, logprobs = ids.shape[1], []
    with torch.inference_mode():
        for _ in range(tokens):
            likely = model(input_ids=ids).logits[0, -1].log_softmax(-1)
            logprobs.append(float(likely.max()))
            ids = torch.cat([ids, likely.argmax()[None, None]], dim=1)
    return tokenizer.decode(ids[0, begin:], skip_special_tokens=True), logprobs, ids[0, begin:].tolist()


def test_answers_are_those_of_transformers_and_peft(server: Server, tiny: Path, adapters: dict[str, Path]) -> None:
    for name, folder in [("tiny", None), *adapters.items()]:
        text, logprobs, _ = by_hand(tiny, folder, PROMPT, 12)
        choice = server.complete(PROMPT, model=name, logprobs=0)["choices"][0]
        assert choice["text"] == text.rstrip("�"), name
        assert choice["logprobs"]["token_logprobs"] == pytest.approx(logprobs, abs=1e-3), name


def test_rows_together_answer_as_each_alone(server: Server, adapters: dict[str, Path]) -> None:
    names = ["tiny", *adapters]
    requests = [
        {"prompt": "Die Frist " * (1 + 5 * at), "model": names[at % len(names)], "max_tokens": 6 + 5 * at}
        for at in range(11)
    ]
    alone = [server.text(**request) for request in requests]
    assert len(set(alone)) > len(names)
    assert server.at_once(requests) == alone


def test_a_row_that_joins_in_the_middle_changes_nothing(server: Server) -> None:
    long = {"prompt": PROMPT, "model": "plain", "max_tokens": 200}
    alone, short_alone = server.text(**long), server.text("Die Klage", model="wide")
    events = server.stream("/v1/completions", {**long, "temperature": 0, "ignore_eos": True})
    pieces = [next(events)["choices"][0]["text"]]
    assert server.text("Die Klage", model="wide") == short_alone
    pieces += [event["choices"][0]["text"] for event in events if event != "[DONE]"]
    assert "".join(pieces) == alone


def test_a_prompt_longer_than_a_step_reads(server: Server) -> None:
    requests = [
        {"prompt": "Der Bescheid der Behörde " * 30, "model": name, "max_tokens": 8} for name in ("tiny", "wide")
    ]
    alone = [server.text(**request) for request in requests]
    assert server.at_once([*requests, *requests]) == alone * 2


def test_the_base_answers_byte_for_byte_as_before(tiny: Path, adapters: dict[str, Path]) -> None:
    server = Server(tiny, "--threads=1")
    asked = {"prompt": PROMPT, "max_tokens": 60, "logprobs": 5}
    before = server.complete(**asked)["choices"]
    server.load("plain", adapters["plain"])
    assert server.complete(**asked)["choices"] == before
    requests = [{**asked, "model": name} for name in ("plain", "tiny", "plain")]
    together = server.at_once(requests)
    assert together[1] == before[0]["text"] != together[0] == together[2]
    assert server.complete(**asked)["choices"] == before
    assert server.unload("plain")[0] == 200
    assert server.complete(**asked)["choices"] == before
    assert server.close() == 0


def test_a_stop_string_ends_the_answer_and_no_part_of_it_is_told(server: Server) -> None:
    full = server.text(PROMPT, max_tokens=40)
    stop = full[14:17]
    for body in ({"stop": stop}, {"stop": ["never written", stop]}):
        choice = server.complete(PROMPT, max_tokens=40, **body)["choices"][0]
        assert choice["text"] == full[: full.index(stop)]
        assert (choice["finish_reason"], choice["stop_reason"]) == ("stop", stop)
        events = server.stream(
            "/v1/completions",
            {"model": "tiny", "prompt": PROMPT, "max_tokens": 40, "temperature": 0, "ignore_eos": True, **body},
        )
        told = [event["choices"][0] for event in events if event != "[DONE]"]
        assert "".join(choice["text"] for choice in told) == full[: full.index(stop)]
        assert told[-1]["finish_reason"] == "stop"


def test_what_could_have_begun_a_stop_string_is_told_at_the_end(server: Server) -> None:
    full = server.text(PROMPT, max_tokens=10)
    assert server.text(PROMPT, max_tokens=10, stop=full[-3:] + "never") == full


def test_an_end_token_ends_the_answer(server: Server, tiny: Path) -> None:
    found = by_hand(tiny, None, PROMPT, 1)[2][0]
    answer = server.complete(PROMPT, stop_token_ids=[found])
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert answer["choices"][0]["stop_reason"] == found
    assert answer["choices"][0]["text"] == ""
    assert answer["usage"]["completion_tokens"] == 1
    assert server.text(PROMPT, stop_token_ids=[found], min_tokens=3) != ""


def test_a_seed_draws_the_same_again(server: Server) -> None:
    drawn = {"prompt": PROMPT, "temperature": 1.5, "model": "plain", "max_tokens": 20}
    first = server.text(**drawn, seed=7)
    assert server.text(**drawn, seed=7) == first != server.text(**drawn, seed=8)
    mixed: list[dict[str, Any]] = [{**drawn, "seed": 7}, {"prompt": "Die Klage", "model": "wide"}, {**drawn, "seed": 7}]
    texts = server.at_once(mixed)
    assert texts[0] == texts[2] == first
    several = server.complete(**drawn, seed=7, n=3)["choices"]
    assert [choice["index"] for choice in several] == [0, 1, 2]
    assert several[0]["text"] == first
    assert len({choice["text"] for choice in several}) == 3


@pytest.mark.parametrize("narrow", [{"top_k": 1}, {"top_p": 1e-9}, {"min_p": 1.0}])
def test_narrowed_to_one_token_a_draw_is_greedy(server: Server, narrow: dict[str, Any]) -> None:
    greedy = server.text(PROMPT)
    assert server.text(PROMPT, temperature=2, seed=1, **narrow) == greedy != server.text(PROMPT, temperature=2, seed=1)


def test_penalties_and_biases(server: Server, tiny: Path) -> None:
    again = server.text(PROMPT, logit_bias={"70": 100}, max_tokens=6)
    assert again == server.text([70] * 6, echo=True, max_tokens=0)
    first = by_hand(tiny, None, PROMPT, 1)[2][0]
    assert server.text(PROMPT, logit_bias={str(first): -100}) != server.text(PROMPT)
    for penalty in ({"presence_penalty": 2}, {"frequency_penalty": 2}):
        body = {"logit_bias": {"70": 3, "71": 2.5}, "max_tokens": 2, **penalty}
        assert server.text(PROMPT, **body) == server.text([70, 71], echo=True, max_tokens=0), penalty
    tokens = server.complete([70], logprobs=0, max_tokens=20, repetition_penalty=10)["choices"][0]["logprobs"]["tokens"]
    # Half characters all look the same.
    whole = [token for token in tokens if token != "�"]
    assert len(set(whole)) == len(whole) > 5


def test_log_probabilities(server: Server) -> None:
    body = {"model": "plain", "messages": MESSAGES, "max_tokens": 5, "temperature": 0, "logprobs": True}
    status, answer = server.ask("/v1/chat/completions", {**body, "top_logprobs": 3, "ignore_eos": True})
    assert status == 200
    content = answer["choices"][0]["logprobs"]["content"]
    assert len(content) == 5
    for token in content:
        top = [likely["logprob"] for likely in token["top_logprobs"]]
        assert len(top) == 3
        assert top == sorted(top, reverse=True)
        assert token["logprob"] == top[0] <= 0
        assert bytes(token["bytes"]).decode(errors="replace") == token["token"]
    text = b"".join(bytes(token["bytes"]) for token in content).decode(errors="replace")
    assert answer["choices"][0]["message"]["content"] == text.rstrip("�")


def test_echo_scores_the_prompt_as_the_answer_that_wrote_it(server: Server) -> None:
    """As evaluation harnesses ask for it: max_tokens 0 or 1, echo, logprobs."""
    written = server.complete(PROMPT, logprobs=1, max_tokens=6, model="plain")["choices"][0]
    whole = server.complete(PROMPT, logprobs=1, max_tokens=6, model="plain", echo=True)["choices"][0]
    assert whole["text"] == PROMPT + written["text"]
    logprobs = whole["logprobs"]
    assert logprobs["token_logprobs"][0] is None
    assert len(logprobs["tokens"]) == len(logprobs["token_logprobs"]) == len(logprobs["text_offset"]) == 3 + 6
    assert logprobs["token_logprobs"][3:] == pytest.approx(written["logprobs"]["token_logprobs"], abs=1e-3)
    none = server.complete(PROMPT, logprobs=1, max_tokens=0, model="plain", echo=True)
    assert none["choices"][0]["text"] == PROMPT
    assert none["choices"][0]["logprobs"]["token_logprobs"] == pytest.approx(logprobs["token_logprobs"][:3], abs=1e-3)
    assert none["usage"] == {"prompt_tokens": 3, "completion_tokens": 0, "total_tokens": 3}


def test_several_prompts_and_token_ids(server: Server) -> None:
    both = server.complete([PROMPT, "Die Klage"], n=2)["choices"]
    assert [choice["text"] for choice in both] == [server.text(PROMPT)] * 2 + [server.text("Die Klage")] * 2
    from tokenizers import Tokenizer

    path = json.loads(json.dumps(server.ask("/v1/models")[1]))["data"][0]["root"]
    ids = Tokenizer.from_file(f"{path}/tokenizer.json").encode(PROMPT).ids
    assert server.text(ids) == server.text([ids]) == server.text(PROMPT)


def test_the_chunks_of_a_chat(server: Server) -> None:
    body = {"model": "wide", "messages": MESSAGES, "max_tokens": 9, "temperature": 0, "ignore_eos": True}
    status, whole = server.ask("/v1/chat/completions", body)
    assert status == 200
    events = list(server.stream("/v1/chat/completions", {**body, "stream_options": {"include_usage": True}}))
    assert events.pop() == "[DONE]"
    usage = events.pop()
    assert (usage["choices"], usage["usage"]) == ([], whole["usage"])
    assert {(event["object"], event["model"], event["id"]) for event in events} == {
        ("chat.completion.chunk", "wide", events[0]["id"])
    }
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    text = "".join(event["choices"][0]["delta"].get("content", "") for event in events)
    assert text == whole["choices"][0]["message"]["content"]
    assert [event["choices"][0]["finish_reason"] for event in events] == [None] * (len(events) - 1) + ["length"]
    assert whole["choices"][0]["message"]["role"] == "assistant"
    assert whole["usage"]["completion_tokens"] == 9


def test_a_chat_is_rendered_as_in_training(server: Server) -> None:
    body = {"max_tokens": 8, "temperature": 0, "ignore_eos": True, "model": "plain"}
    parts = [{"role": "user", "content": [{"type": "text", "text": "Wie lang ist die Frist?"}]}]
    rendered = "<s>### User:\nWie lang ist die Frist?\n\n### Assistant:\n"
    expected = server.text(rendered, **body)
    for messages in (MESSAGES, parts):
        _, answer = server.ask("/v1/chat/completions", {**body, "messages": messages})
        assert answer["choices"][0]["message"]["content"] == expected


def test_json_is_written_where_it_is_asked_for(server: Server) -> None:
    schema = {
        "type": "object",
        "properties": {"wert": {"type": "integer", "minimum": 0, "maximum": 99}, "ja": {"type": "boolean"}},
        "required": ["wert", "ja"],
        "additionalProperties": False,
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "antwort", "schema": schema}}
    body = {"model": "plain", "messages": MESSAGES, "seed": 3, "response_format": wanted}
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: server.ask("/v1/chat/completions", body), range(3)))
    for status, answer in answers:
        assert status == 200, answer
        found = json.loads(answer["choices"][0]["message"]["content"])
        assert set(found) == {"wert", "ja"}
        assert answer["choices"][0]["finish_reason"] == "stop"


def test_only_the_key_opens(server: Server) -> None:
    for key in (None, "another", KEY + "x"):
        status, answer = server.ask("/v1/models", key=key)
        assert status == 401
        assert answer["error"]["code"] == "invalid_api_key"
        assert server.ask("/engine/threads", {"threads": 1}, key)[0] == 401
    assert server.ask("/health", key=None)[0] == 200


def test_models_name_their_base_and_folder(server: Server, tiny: Path, adapters: dict[str, Path]) -> None:
    _, listed = server.ask("/v1/models")
    found = {card["id"]: (card["parent"], card["root"], card["object"]) for card in listed["data"]}
    expected: dict[str, tuple[str | None, str, str]] = {"tiny": (None, str(tiny), "model")}
    expected |= {name: ("tiny", str(folder), "model") for name, folder in adapters.items()}
    assert found == expected
    assert server.ask("/v1/models/plain")[1]["id"] == "plain"


def test_metrics_count_by_model(server: Server) -> None:
    before = server.metric("vllm:generation_tokens_total")
    server.text(PROMPT, model="wide", max_tokens=7)
    assert server.metric("vllm:generation_tokens_total") == before + 7
    assert server.metric("clara_engine_adapters") == 4
    assert server.metric("vllm:num_requests_running") == 0
    assert server.ask("/engine/threads", {"threads": 2}) == (200, {"threads": 2})
    assert server.metric("clara_engine_threads") == 2
    assert server.ask("/engine/threads", {"threads": 1}) == (200, {"threads": 1})
