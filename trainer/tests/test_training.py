"""Real small trainings, in this process where nothing is killed."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import SCHEDULE
from runs import DEFAULTS, QUANTIZATION, events_of, execute, make_run, of_type, worker_command

from clara_trainer.__main__ import main
from clara_trainer.data.chat_template import SHIPPED_TEMPLATE
from clara_trainer.run_file import SCHEMA


def train(run: Path) -> dict[str, Any]:
    """The last event's data."""
    main(["--run", str(run)])
    data: dict[str, Any] = events_of(run)[-1]["data"]
    return data


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}


def test_lora_lowers_the_loss_and_says_so(undisturbed: Path) -> None:
    report = of_type(undisturbed, "finished")[0]["data"]["report"]
    assert report["loss"]["after"] < report["loss"]["before"] - 0.9
    assert report["perplexity"]["after"] < report["perplexity"]["before"]
    assert [metric["data"]["when"] for metric in of_type(undisturbed, "metric")] == ["before", "after"]
    assert [event["step"] for event in of_type(undisturbed, "progress")] == list(range(1, 13))


def test_events_fit_their_schema_and_are_numbered(undisturbed: Path) -> None:
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(json.loads((SCHEMA.parent / "event.schema.json").read_text()))
    events = events_of(undisturbed)
    for event in events:
        validator.validate(event)
    assert [event["n"] for event in events] == list(range(1, len(events) + 1))
    phases = [event["data"]["phase"] for event in of_type(undisturbed, "phase")]
    assert phases == [
        "importing", "loading_model", "preparing_data", "evaluating_before", "training", "evaluating_after", "saving",
    ]  # fmt: skip


def test_the_adapter_folder_is_complete(undisturbed: Path, tiny: Path) -> None:
    adapter = undisturbed / "adapter"
    assert {path.name for path in adapter.iterdir()} == {
        "README.md", "adapter_config.json", "adapter_model.safetensors", "chat_template.jinja", "tokenizer.json",
        "tokenizer_config.json", "training_report.json",
    }  # fmt: skip
    assert json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"] == str(tiny)
    assert (
        json.loads((adapter / "training_report.json").read_text())
        == of_type(undisturbed, "finished")[0]["data"]["report"]
    )
    for folder in (adapter, undisturbed / "checkpoints" / "checkpoint-12"):
        assert (folder / "chat_template.jinja").read_bytes() == SHIPPED_TEMPLATE.read_bytes()
    card = (adapter / "README.md").read_text()
    assert "library_name: peft" in card
    assert f'base_model: "{tiny}"' in card


def test_the_same_seed_gives_the_same_adapter_and_leaves_the_base_alone(
    tmp_path: Path, tiny: Path, rows: Path, undisturbed: Path
) -> None:
    before = hashes(tiny)
    run = make_run(tmp_path, tiny, rows, training=SCHEDULE)
    train(run)
    assert hashes(tiny) == before
    weights = "adapter_model.safetensors"
    assert hashes(run / "adapter")[weights] == hashes(undisturbed / "adapter")[weights]


def test_further_training_starts_where_the_reloaded_adapter_stood(
    tmp_path: Path, tiny: Path, rows: Path, undisturbed: Path
) -> None:
    start = {"start_from": str(undisturbed / "adapter")}
    report = train(make_run(tmp_path, tiny, rows, trainer_type="continuous", adapter=start))["report"]
    first = of_type(undisturbed, "finished")[0]["data"]["report"]
    assert report["loss"]["before"] == pytest.approx(first["loss"]["after"], rel=1e-6)
    assert report["loss"]["after"] < report["loss"]["before"]


@pytest.mark.parametrize("kind", ["nf4", "int8"])
def test_qlora_lowers_the_loss(tmp_path: Path, tiny: Path, rows: Path, kind: str) -> None:
    bits = {"nf4": {"bits": 4}, "int8": {"bits": 8, "double": False}}[kind]
    run = make_run(tmp_path, tiny, rows, trainer_type="qlora", quantization={**QUANTIZATION, "type": kind, **bits})
    done = execute(worker_command(run))
    assert done.returncode == 0, done.stderr
    report = of_type(run, "finished")[0]["data"]["report"]
    assert report["loss"]["after"] < report["loss"]["before"] - 0.2
    assert report["quantization"] == kind


def test_packing_evaluates_as_without(tmp_path: Path, tiny: Path, rows: Path, undisturbed: Path) -> None:
    report = train(make_run(tmp_path, tiny, rows, data={"packing": True}))["report"]
    first = of_type(undisturbed, "finished")[0]["data"]["report"]
    assert report["loss"]["before"] == pytest.approx(first["loss"]["before"], rel=1e-6)
    assert report["loss"]["after"] < report["loss"]["before"] - 0.5
    assert report["packing"] is True


def test_packed_rows_do_not_see_each_other(tiny: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM
    from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

    model = AutoModelForCausalLM.from_pretrained(tiny, attn_implementation="sdpa")
    rows = [{"input_ids": list(range(start, start + 20))} for start in (10, 100, 200)]
    packed = DataCollatorForLanguageModeling(pad_token_id=1, padding_free=True)(rows)
    with torch.no_grad():
        together = model(**{key: value for key, value in packed.items() if key != "labels"}, use_cache=False).logits[0]
        alone = torch.cat([model(input_ids=torch.tensor([row["input_ids"]])).logits[0] for row in rows])
    assert torch.allclose(together, alone, atol=1e-5)


def test_resuming_after_the_last_step_only_evaluates_and_saves(
    tmp_path: Path, tiny: Path, rows: Path, undisturbed: Path
) -> None:
    last = str(undisturbed / "checkpoints" / "checkpoint-12")
    run = make_run(tmp_path, tiny, rows, training=SCHEDULE, resume_from=last)
    report = train(run)["report"]
    assert not of_type(run, "progress")
    assert report["loss"] == of_type(undisturbed, "finished")[0]["data"]["report"]["loss"]


def test_a_smaller_micro_batch_goes_on_from_the_checkpoint(
    tmp_path: Path, tiny: Path, rows: Path, undisturbed: Path
) -> None:
    """What the application does after a lack of memory."""
    halved = {**SCHEDULE, "batch_size": 2, "gradient_accumulation_steps": 4}
    middle = str(undisturbed / "checkpoints" / "checkpoint-10")
    run = make_run(tmp_path, tiny, rows, training=halved, resume_from=middle)
    train(run)
    curves = [
        {event["step"]: event["data"]["loss"] for event in of_type(job, "progress")} for job in (run, undisturbed)
    ]
    assert list(curves[0]) == [11, 12]
    assert curves[0][12] == pytest.approx(curves[1][12], rel=0.05)


def test_early_stopping_ends_with_the_best_adapter(tmp_path: Path, tiny: Path, rows: Path) -> None:
    settings = {"early_stopping": {"patience": 1}, "eval_steps": 2, "epochs": 20, "learning_rate": 0.2}
    run = make_run(tmp_path, tiny, rows, training=settings)
    train(run)
    metrics: dict[str, list[float]] = {name: [] for name in ("before", "during", "after")}
    for event in of_type(run, "metric"):
        metrics[event["data"]["when"]].append(event["data"]["eval_loss"])
    assert len(of_type(run, "progress")) < 160
    assert metrics["after"][0] == pytest.approx(min(metrics["during"]), rel=1e-5)


def test_wishes_that_need_a_gpu_are_changed_and_said(tmp_path: Path, tiny: Path, rows: Path) -> None:
    run = make_run(
        tmp_path, tiny, rows, model={"attention": "flash_attention_2"},
        training={"optimizer": "paged_adamw_8bit", "precision": "fp16", "max_steps": 1, "report_to": ["tensorboard"]},
    )  # fmt: skip
    train(run)
    (started,) = of_type(run, "started")
    for word in ("fp16", "flash_attention_2", "paged_adamw_8bit"):
        assert any(word in warning for warning in started["data"]["warnings"])
    assert any((run / "tensorboard").iterdir())


def test_plain_text_without_validation_rows(tmp_path: Path, tiny: Path) -> None:
    file = tmp_path / "text.jsonl"
    file.write_text('{"text": "Der Bescheid ist ein Verwaltungsakt."}')
    report = train(make_run(tmp_path / "job", tiny, file, training={"epochs": 2}))["report"]
    assert report["loss"]["before"] is None
    assert report["loss"]["final_train"] is not None


def refusal(run: Path) -> tuple[str, str]:
    data = train(run)
    return data["code"], data["message"]


def test_a_bad_line_ends_the_training_by_name(tmp_path: Path, tiny: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('{"prompt": "a", "completion": "b"}\nkaputt\n')
    code, message = refusal(make_run(tmp_path / "job", tiny, file))
    assert code == "invalid_data"
    assert f"{file}: line 2: is not JSON" in message


def test_models_that_cannot_or_must_not_be_read(tmp_path: Path, tiny: Path, rows: Path) -> None:
    assert refusal(make_run(tmp_path / "a", tmp_path / "fehlt", rows))[0] == "invalid_model"
    assert refusal(make_run(tmp_path / "b", Path("hub/fehlt"), rows))[0] == "invalid_model"
    pickled = tmp_path / "pickled"
    shutil.copytree(tiny, pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    code, message = refusal(make_run(tmp_path / "c", pickled, rows))
    assert (code, "pytorch_model.bin" in message) == ("not_allowed", True)
    with_code = tmp_path / "with_code"
    shutil.copytree(tiny, with_code)
    config = json.loads((tiny / "config.json").read_text())
    auto_map = {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"}
    (with_code / "config.json").write_text(json.dumps({**config, "model_type": "own", "auto_map": auto_map}))
    code, message = refusal(make_run(tmp_path / "d", with_code, rows))
    assert (code, "trust_remote_code" in message) == ("not_allowed", True)


def test_adapters_that_do_not_fit_are_refused(tmp_path: Path, tiny: Path, rows: Path, undisturbed: Path) -> None:
    from tiny import make_tiny_model

    start = {"start_from": str(undisturbed / "adapter")}
    other = make_tiny_model(tmp_path / "other")
    code, message = refusal(make_run(tmp_path / "a", other, rows, adapter=start))
    assert (code, "was made for" in message) == ("invalid_model", True)
    wide = make_tiny_model(tmp_path / "wide" / tiny.name, hidden=32)
    code, message = refusal(make_run(tmp_path / "b", wide, rows, adapter=start))
    assert (code, "does not fit" in message) == ("invalid_model", True)
    code, message = refusal(make_run(tmp_path / "c", tiny, rows, adapter={"start_from": str(tmp_path)}))
    assert (code, "adapter_config.json" in message) == ("invalid_model", True)


def test_target_modules_that_do_not_exist(tmp_path: Path, tiny: Path, rows: Path) -> None:
    code, message = refusal(make_run(tmp_path / "a", tiny, rows, adapter={"target_modules": ["c_attn"]}))
    assert (code, "c_attn" in message) == ("invalid_model", True)


def test_a_missing_logger_is_named(tmp_path: Path, tiny: Path, rows: Path) -> None:
    code, message = refusal(make_run(tmp_path, tiny, rows, training={"report_to": ["mlflow"]}))
    assert (code, "install" in message.lower()) == ("not_allowed", True)


def test_a_run_file_that_does_not_fit_is_told_all_problems(tmp_path: Path, tiny: Path, rows: Path) -> None:
    message = refusal(make_run(tmp_path, tiny, rows, training={"epochs": 0, "batch_size": "vier"}, odd=1))[1]
    for part in ("training.epochs", "training.batch_size", "'odd' was unexpected"):
        assert part in message


def test_the_test_defaults_fit_the_schema(tiny: Path) -> None:
    from jsonschema import Draft202012Validator

    run = {**DEFAULTS, "model": {**DEFAULTS["model"], "path": str(tiny)}}
    run["data"] = {**run["data"], "train": [{"path": "/a", "sha256": None}]}
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(run)


def test_a_used_run_folder_is_refused(undisturbed: Path) -> None:
    count = len(events_of(undisturbed))
    assert main(["--run", str(undisturbed)]) == 1
    assert len(events_of(undisturbed)) == count
