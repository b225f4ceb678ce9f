"""Rows that stand one after another are computed as if each were alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from runs import (
    DEFAULTS,
    QUANTIZATION,
    accelerate_command,
    events_of,
    execute,
    make_run,
    merged,
    of_type,
    worker_command,
)
from tiny_kinds import KINDS, make_model
from transformers import AutoTokenizer

from clara_trainer import checkpointing, padding_free
from clara_trainer.__main__ import main
from clara_trainer.device import Device
from clara_trainer.padding_free import NAME, flat, lay_out, pieces

# Longer than the windows of the kinds, and of any length.
LENGTHS = (40, 3, 29, 1)
VOCABULARY = 64
ALONE: dict[str, Any] = {"model": {"attention": "sdpa"}}
STEPS = {"epochs": 2, "gradient_accumulation_steps": 2, "batch_size": 4}
SMOOTH: dict[str, Any] = {"adapter": {"dropout": 0.0}, "training": STEPS}


def cpu() -> Device:
    return Device("cpu", "cpu", "fp32", "sdpa", "adamw_torch", False)


def adapted(base: Any) -> Any:
    from peft import LoraConfig, get_peft_model

    return get_peft_model(base, LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False))


def model_of(kind: str, folder: Path) -> Any:
    import torch
    from transformers import AutoModelForCausalLM

    make_model(kind, VOCABULARY, folder)
    base = AutoModelForCausalLM.from_pretrained(folder)
    torch.manual_seed(0)
    return adapted(base)


def results(model: Any, batches: list[dict[str, Any]]) -> tuple[Any, Any]:
    """The logits of all rows, and the gradients of a loss over them."""
    import torch

    logits = torch.cat([model(**batch, use_cache=False).logits[0] for batch in batches])
    model.zero_grad()
    (logits * torch.arange(logits.numel()).reshape(logits.shape).sin()).sum().backward()
    return logits.detach(), [weight.grad.clone() for weight in model.parameters() if weight.grad is not None]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "gemma2"])
def test_rows_are_computed_as_if_alone(tmp_path: Path, kind: str) -> None:
    import torch

    model, device = model_of(kind, tmp_path), cpu()
    ids = torch.randint(0, VOCABULARY, (sum(LENGTHS),), generator=torch.Generator().manual_seed(1))
    alone = results(model, [{"input_ids": row[None]} for row in ids.split(LENGTHS)])
    assert lay_out(model, merged(DEFAULTS, {}), device), device.warnings  # type: ignore[arg-type]
    assert (device.attention, device.warnings) == (NAME, [])
    together = results(model, [flat(ids, LENGTHS)])
    assert torch.allclose(together[0], alone[0], rtol=1e-4, atol=1e-4)
    for ours, theirs in zip(together[1], alone[1], strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-3 * float(theirs.abs().max()))


def test_a_model_that_asks_more_of_attention_keeps_its_padding(tmp_path: Path, tiny: Path) -> None:
    """Gemma 2, which cannot have torch's kernels either."""
    make_model("gemma2", 400, tmp_path / "base")
    AutoTokenizer.from_pretrained(tiny).save_pretrained(tmp_path / "base")
    run = trained(make_run(tmp_path / "job", tmp_path / "base", uneven(tmp_path), **SMOOTH))
    started = of_type(run, "started")[0]["data"]
    assert started["attention"] == "eager"
    assert started["warnings"][0] == (
        "Rows are padded to the longest of their batch: Gemma2ForCausalLM takes no other attention (its attention has "
        "softcap)."
    )


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (lambda bounds: bounds[[0, -1]], "does not keep rows apart"),
        (lambda bounds: bounds.new_tensor([0, 5, *bounds[1:].tolist()]), "answers differently"),
    ],
)
def test_rows_that_meet_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: Any, reason: str) -> None:
    real = padding_free.row_by_row
    monkeypatch.setattr(
        padding_free,
        "row_by_row",
        lambda query, key, value, more: real(
            query, key, value, {**more, "cu_seq_lens_q": broken(more["cu_seq_lens_q"])}
        ),
    )
    device = cpu()
    assert not lay_out(model_of("llama", tmp_path), merged(DEFAULTS, {}), device)  # type: ignore[arg-type]
    assert reason in device.warnings[0]


def test_what_is_no_number_is_no_agreement(tmp_path: Path) -> None:
    import torch

    model, device = model_of("llama", tmp_path), cpu()
    with torch.no_grad():
        model.get_base_model().get_output_embeddings().weight.fill_(float("nan"))
    assert not lay_out(model, merged(DEFAULTS, {}), device)  # type: ignore[arg-type]
    assert "(by nan)" in device.warnings[0]


@pytest.mark.parametrize(
    ("lengths", "tokens", "expected"),
    [
        ((4, 4, 4), 8, [(4, 4), (4,)]),
        ((9, 1, 1), 8, [(9,), (1, 1)]),
        ((1, 9), 8, [(1,), (9,)]),
        ((3,), 1, [(3,)]),
        ((2, 2, 2, 2), 100, [(2, 2, 2, 2)]),
    ],
)
def test_a_step_goes_in_as_few_pieces_as_fit(
    lengths: tuple[int, ...], tokens: int, expected: list[tuple[int, ...]]
) -> None:
    import torch

    batch = flat(torch.arange(sum(lengths)), lengths)
    batch["labels"] = batch["input_ids"] + 1000
    found = list(pieces(batch, tokens, lambda count: count))
    assert [tuple(piece["cu_seq_lens_q"].diff().tolist()) for piece in found] == expected
    assert [piece["max_length_q"] for piece in found] == [max(piece) for piece in expected]
    for name in ("input_ids", "labels", "position_ids"):
        assert torch.equal(torch.cat([piece[name] for piece in found], dim=1), batch[name])


@pytest.mark.parametrize(("count", "expected"), [(1, [5]), (2, [2, 3]), (4, [1, 1, 1, 2]), (5, [1, 1, 1, 1, 1])])
def test_processes_take_as_many_pieces_as_the_one_that_needs_most(count: int, expected: list[int]) -> None:
    import torch

    lengths = (2, 1, 3, 1, 2)
    batch = flat(torch.arange(sum(lengths)), lengths)
    batch["labels"] = batch["input_ids"]
    found = list(pieces(batch, 100, lambda needed: max(needed, count)))
    assert sorted(len(piece["cu_seq_lens_q"]) - 1 for piece in found) == expected
    assert torch.equal(torch.cat([piece["input_ids"] for piece in found], dim=1), batch["input_ids"])


def curve(run: Path) -> list[float]:
    return [event["data"]["loss"] for event in of_type(run, "progress")]


def uneven(folder: Path) -> Path:
    rows = [
        {"messages": [{"role": "user", "content": "Frist"}, {"role": "assistant", "content": "ein Monat " * count}]}
        for count in range(1, 23)
    ]
    path = folder / "uneven.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def trained(run: Path) -> Path:
    assert main(["--run", str(run)]) == 0
    return run


def test_a_training_learns_the_same_as_with_padding(tmp_path: Path, tiny: Path) -> None:
    rows = uneven(tmp_path)
    without = trained(make_run(tmp_path / "without", tiny, rows, **SMOOTH))
    padded = trained(make_run(tmp_path / "padded", tiny, rows, **SMOOTH, **ALONE))
    started = [of_type(run, "started")[0]["data"] for run in (without, padded)]
    assert [data["attention"] for data in started] == [NAME, "sdpa"]
    assert started[0]["total_steps"] == started[1]["total_steps"] == len(curve(padded))
    assert curve(without) == pytest.approx(curve(padded), rel=1e-4)
    reports = [events_of(run)[-1]["data"]["report"] for run in (without, padded)]
    assert reports[0]["loss"]["after"] == pytest.approx(reports[1]["loss"]["after"], rel=1e-4)
    assert reports[0]["train_tokens"] == reports[1]["train_tokens"]


def test_pieces_add_up_to_the_step(tmp_path: Path, tiny: Path) -> None:
    """With one row in memory at a time, on one process and on two, it learns what it learns at once."""
    rows = uneven(tmp_path)
    small = {**STEPS, "batch_size": 1, "gradient_accumulation_steps": 8}
    at_once = trained(make_run(tmp_path / "once", tiny, rows, **SMOOTH))
    piecewise = trained(
        make_run(tmp_path / "pieces", tiny, rows, **merged(SMOOTH, {"training": small, "data": {"max_length": 100}}))
    )
    assert curve(piecewise) == pytest.approx(curve(at_once), rel=1e-4)
    halves = {**small, "gradient_accumulation_steps": 4}
    several = make_run(
        tmp_path / "two",
        tiny,
        rows,
        **merged(SMOOTH, {"training": halves, "data": {"max_length": 100}, "hardware": {"processes": 2}}),
    )
    done = execute(accelerate_command(several, 2))
    assert done.returncode == 0, done.stderr
    # The order of the rows is another one.
    assert curve(several)[-1] == pytest.approx(curve(at_once)[-1], rel=0.05)


def executed(run: Path) -> Path:
    """In a process of its own: this one has gone without bitsandbytes."""
    done = execute(worker_command(run))
    assert done.returncode == 0, done.stderr
    return run


def test_a_quantised_base_learns_after_an_evaluation_as_before(tmp_path: Path, tiny: Path) -> None:
    rows = uneven(tmp_path)
    common: dict[str, Any] = {
        **SMOOTH,
        "trainer_type": "qlora",
        "quantization": QUANTIZATION,
        "data": {"validation_split": 0},
    }
    # Nothing was evaluated before, not even to see whether it can go without padding.
    plain = executed(make_run(tmp_path / "plain", tiny, rows, **common, **ALONE))
    held_out = tmp_path / "held-out.jsonl"
    held_out.write_text(
        json.dumps({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]})
    )
    evaluated = executed(
        make_run(
            tmp_path / "evaluated", tiny, rows,
            **merged(common, {"data": {"validation": [{"path": str(held_out), "sha256": None}]}}),
        )
    )  # fmt: skip
    assert of_type(evaluated, "metric")
    assert curve(evaluated) == pytest.approx(curve(plain), rel=1e-4)


def decision(monkeypatch: pytest.MonkeyPatch, kept: int, free: int, **training: Any) -> bool:
    import torch

    monkeypatch.setattr(checkpointing, "CHECKPOINTING_PARAMETERS", 10)
    monkeypatch.setattr(checkpointing, "kept_bytes", lambda *_: kept)
    monkeypatch.setattr(checkpointing, "free_bytes", lambda: free)
    device = Device("cuda", "a GPU", "bf16", "sdpa", "adamw_torch", True)
    run: Any = merged(DEFAULTS, {"training": {"batch_size": 4, **training}})
    return checkpointing.computes_again(torch.nn.Linear(4, 4), run, device)


def test_layers_are_computed_again_where_the_gpu_has_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    assert decision(monkeypatch, kept=10, free=79)
    assert not decision(monkeypatch, kept=10, free=80)
    assert decision(monkeypatch, kept=0, free=80, gradient_checkpointing=True)
    assert not decision(monkeypatch, kept=80, free=80, gradient_checkpointing=False)


def test_the_call_for_a_gpu_fits_the_torch_that_is_installed() -> None:
    """Shapes only: nothing is computed, so it needs no GPU."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        query = torch.empty(1, 8, sum(LENGTHS), 64, device="cuda", dtype=torch.bfloat16)
        key = torch.empty(1, 2, sum(LENGTHS), 64, device="cuda", dtype=torch.bfloat16)
        bounds = torch.empty(len(LENGTHS) + 1, device="cuda", dtype=torch.int32)
        more = {"cu_seq_lens_q": bounds, "max_length_q": max(LENGTHS), "scaling": 0.1, "sliding_window": 7}
        found = padding_free.by_flash(query, key, key, more)
    assert (found.shape, found.dtype) == ((sum(LENGTHS), 8, 64), torch.bfloat16)
