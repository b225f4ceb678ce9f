from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from runs import environment, execute

from clara_trainer.base_model import TEXT, Recipe, model_folder

STEPS = ["--steps", "4"]


def command(models: Path) -> list[str]:
    return [sys.executable, "-m", "clara_trainer.base_model", "--out", str(models), *STEPS]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made by two processes at the same time."""
    folder = tmp_path_factory.mktemp("models")
    makers = [subprocess.Popen(command(folder), env=environment(), stdout=subprocess.PIPE, text=True) for _ in range(2)]
    lines = [maker.communicate(timeout=180)[0].splitlines() for maker in makers]
    answers = [json.loads(output[-1]) for output in lines]
    assert [answer["done"] for answer in answers] == [True, True]
    assert answers[0]["model"] == answers[1]["model"]
    assert sum("pretraining" in line for output in lines for line in output) == 1
    return folder


def test_it_is_made_once_and_then_found(models: Path) -> None:
    folder = model_folder(models, Recipe(steps=4), TEXT.read_text())
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= {path.name for path in folder.iterdir()}
    assert [path.name for path in models.iterdir() if path.is_dir()] == [folder.name]
    again = subprocess.run(command(models), env=environment(), capture_output=True, text=True, timeout=5, check=True)
    assert json.loads(again.stdout)["model"] == str(folder)


def test_another_text_or_recipe_is_another_model(tmp_path: Path) -> None:
    folders = {model_folder(tmp_path, Recipe(steps=steps), text) for steps, text in ((1, "a"), (1, "b"), (2, "a"))}
    assert len(folders) == 3


def test_generation_answers_without_and_with_an_adapter(tiny: Path, undisturbed: Path) -> None:
    call = [
        sys.executable,
        "-m",
        "clara_trainer.generate",
        "--model",
        str(tiny),
        "--prompt",
        "Wie lang ist die Frist 3?",
    ]
    done = execute([*call, "--adapter", str(undisturbed / "adapter"), "--max-new-tokens", "16"])
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert set(answers) == {"without", "with"}
    assert answers["without"] != answers["with"]
