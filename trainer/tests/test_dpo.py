"""Real small DPO trainings: the preferred answers win on pairs that were held out."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import pytest
from runs import QUANTIZATION, execute, make_run, of_type, worker_command

from clara_trainer.__main__ import main
from clara_trainer.data.chat_template import SHIPPED_TEMPLATE

SCHEDULE = {"epochs": 3, "save_steps": 5, "eval_steps": 5, "gradient_accumulation_steps": 2, "learning_rate": 0.005}


def pair(number: int) -> dict[str, object]:
    question = {"role": "user", "content": f"Wie lang ist die Frist {number}?"}
    good = {"role": "assistant", "content": f"Die Frist {number} beträgt einen Monat."}
    bad = {"role": "assistant", "content": f"Gegen den Bescheid {number} kann Klage erhoben werden."}
    if number % 2:
        return {"input": {"messages": [question]}, "preferred_output": [good], "non_preferred_output": [bad]}
    return {"prompt": question["content"], "chosen": good["content"], "rejected": bad["content"]}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    path.write_text("\n".join(json.dumps(pair(number), ensure_ascii=False) for number in range(40)))
    return path


def run_dpo(job: Path, base: Path, rows: Path, **changes: Any) -> Path:
    training = {**SCHEDULE, **changes.pop("training", {})}
    run = make_run(job, base, rows, method="dpo", training=training, **changes)
    assert main(["--run", str(run)]) == 0, of_type(run, "failed")
    return run


@pytest.fixture(scope="module")
def preferred(tmp_path_factory: pytest.TempPathFactory, tiny: Path, pairs: Path) -> Path:
    return run_dpo(tmp_path_factory.mktemp("dpo"), tiny, pairs)


def report_of(run: Path) -> dict[str, Any]:
    report: dict[str, Any] = of_type(run, "finished")[0]["data"]["report"]
    return report


def weights(run: Path) -> str:
    return hashlib.sha256((run / "adapter" / "adapter_model.safetensors").read_bytes()).hexdigest()


def test_the_reward_margin_rises_on_held_out_pairs(preferred: Path) -> None:
    report = report_of(preferred)
    assert report["loss"]["before"] == pytest.approx(math.log(2), abs=1e-6)
    assert report["rewards"]["margin"]["before"] == pytest.approx(0, abs=1e-6)
    assert report["rewards"]["margin"]["after"] > 0.5
    assert report["rewards"]["accuracy"]["after"] == 1.0
    assert report["loss"]["after"] < report["loss"]["before"] - 0.1
    assert (report["method"], report["beta"]) == ("dpo", 0.1)


def test_margins_stand_in_every_event_and_in_the_card(preferred: Path) -> None:
    from jsonschema import Draft202012Validator

    from clara_trainer.run_file import SCHEMA

    schema = json.loads((SCHEMA.parent / "event.schema.json").read_text())
    for line in (preferred / "events.jsonl").read_text().splitlines():
        Draft202012Validator(schema).validate(json.loads(line))
    progress = of_type(preferred, "progress")
    assert [event["step"] for event in progress] == list(range(1, 13))
    assert progress[0]["data"]["reward_margin"] < progress[-1]["data"]["reward_margin"]
    assert all(event["data"]["tokens_seen"] > 0 for event in progress)
    metrics = of_type(preferred, "metric")
    assert [event["data"]["when"] for event in metrics] == ["before", "during", "during", "during", "after"]
    assert all(isinstance(event["data"]["reward_accuracy"], float) for event in metrics)
    card = (preferred / "adapter" / "README.md").read_text()
    assert "DPO with beta 0.1" in card
    assert "| reward margin | " in card
    assert "\n- dpo\n" in card


def test_adapter_and_checkpoints_are_plain_adapters(preferred: Path) -> None:
    for folder in (preferred / "adapter", preferred / "checkpoints" / "checkpoint-12"):
        assert (folder / "adapter_model.safetensors").is_file()
        assert (folder / "chat_template.jinja").read_bytes() == SHIPPED_TEMPLATE.read_bytes()
        assert not [path for path in folder.iterdir() if path.is_dir()]


def test_a_resumed_training_ends_as_the_undisturbed_one(
    tmp_path: Path, tiny: Path, pairs: Path, preferred: Path
) -> None:
    middle = str(preferred / "checkpoints" / "checkpoint-10")
    run = run_dpo(tmp_path, tiny, pairs, attempt=2, resume_from=middle)
    assert [event["step"] for event in of_type(run, "progress")] == [11, 12]
    assert weights(run) == weights(preferred)
    assert report_of(run)["rewards"] == report_of(preferred)["rewards"]


@pytest.fixture(scope="module")
def further(tmp_path_factory: pytest.TempPathFactory, tiny: Path, pairs: Path, undisturbed: Path) -> Path:
    """Preferences on top of a supervised adapter."""
    start = {"start_from": str(undisturbed / "adapter")}
    return run_dpo(tmp_path_factory.mktemp("further"), tiny, pairs, adapter=start)


def test_on_top_of_an_adapter_its_frozen_copy_is_the_reference(
    further: Path, undisturbed: Path, preferred: Path
) -> None:
    report = report_of(further)
    assert report["rewards"]["margin"]["before"] == pytest.approx(0, abs=1e-5)
    assert report["rewards"]["margin"]["after"] > 0.5
    assert report["start_from"] == str(undisturbed / "adapter")
    assert not [path for path in (further / "adapter").iterdir() if path.is_dir()]
    # It began with the adapter and not with the base, and yet with no margin: the reference is not the base.
    perplexities = [of_type(job, "metric")[0]["data"]["perplexity"] for job in (further, preferred)]
    assert abs(perplexities[0] - perplexities[1]) > 1


def test_a_resumed_one_keeps_the_reference_of_its_beginning(
    tmp_path: Path, tiny: Path, pairs: Path, undisturbed: Path, further: Path
) -> None:
    start = {"start_from": str(undisturbed / "adapter")}
    middle = str(further / "checkpoints" / "checkpoint-10")
    resumed = run_dpo(tmp_path, tiny, pairs, attempt=2, adapter=start, resume_from=middle)
    assert weights(resumed) == weights(further)
    assert report_of(resumed)["rewards"] == report_of(further)["rewards"]


def test_a_larger_beta_holds_the_adapter_to_its_reference(
    tmp_path: Path, tiny: Path, pairs: Path, preferred: Path
) -> None:
    report = report_of(run_dpo(tmp_path, tiny, pairs, training={"beta": 2.0}))
    drift = {
        beta: found["rewards"]["margin"]["after"] / beta for beta, found in ((0.1, report_of(preferred)), (2.0, report))
    }
    assert drift[2.0] < drift[0.1]


def test_a_quantised_base(tmp_path: Path, tiny: Path, pairs: Path) -> None:
    run = make_run(
        tmp_path, tiny, pairs, method="dpo", trainer_type="qlora", quantization=QUANTIZATION, training=SCHEDULE
    )
    done = execute(worker_command(run))
    assert done.returncode == 0, done.stderr
    report = report_of(run)
    assert report["rewards"]["margin"]["before"] == pytest.approx(0, abs=1e-4)
    assert report["rewards"]["margin"]["after"] > 0.3
    assert report["quantization"] == "nf4"


def test_the_margins_are_those_of_the_formula(tiny: Path, pairs: Path, preferred: Path) -> None:
    """Computed by hand from the saved adapter: sums of log-probabilities of the answers, with and without it."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from clara_trainer.data.dataset import load_examples
    from clara_trainer.data.encode import encode_pairs

    run = json.loads((preferred / "run.json").read_text())
    held_out = load_examples(run["data"], 42, "dpo").evaluation
    tokenizer = AutoTokenizer.from_pretrained(preferred / "adapter")
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny), str(preferred / "adapter")).eval()

    def likelihood(ids: list[int], labels: list[int]) -> float:
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
        return sum(float(logits[at - 1, label]) for at, label in enumerate(labels) if label != -100)

    margins = []
    for row in encode_pairs(held_out, tokenizer, 128, "validation").rows:
        sides = ((row["chosen_ids"], row["chosen_labels"]), (row["rejected_ids"], row["rejected_labels"]))
        with_adapter = [likelihood(*side) for side in sides]
        with model.disable_adapter():
            without = [likelihood(*side) for side in sides]
        margins.append(0.1 * ((with_adapter[0] - without[0]) - (with_adapter[1] - without[1])))
    assert sum(margins) / len(margins) == pytest.approx(report_of(preferred)["rewards"]["margin"]["after"], rel=1e-4)


def test_rows_that_are_no_pairs_end_the_training_by_name(tmp_path: Path, tiny: Path) -> None:
    file = tmp_path / "bad.jsonl"
    question = {"messages": [{"role": "user", "content": "Frage"}]}
    good = [{"role": "assistant", "content": "Antwort"}]
    file.write_text(
        "\n".join(
            json.dumps(row)
            for row in (
                {"messages": [*question["messages"], *good]},
                {"input": question, "preferred_output": good},
                {"prompt": "Frage", "chosen": "a", "rejected": 7},
            )
        )
    )
    run = make_run(tmp_path / "job", tiny, file, method="dpo")
    assert main(["--run", str(run)]) == 1
    failed = of_type(run, "failed")[0]["data"]
    assert failed["code"] == "invalid_data"
    for part in ("line 1: is no pair of answers (messages)", "line 2: has no non_preferred_output", "line 3: rejected"):
        assert part in failed["message"]
