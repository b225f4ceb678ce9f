"""The installer's decisions; the installation itself is what runs these tests."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

INSTALLER = Path(__file__).resolve().parent.parent / "install.py"


@pytest.fixture
def install() -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", INSTALLER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def complete(install: ModuleType, cache: Path) -> Path:
    folder: Path = install.environment_folder(cache)
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "python").symlink_to(sys.executable)
    install.write_marker(folder, dev=False)
    return folder


def test_a_finished_environment_is_found_quickly(install: ModuleType, tmp_path: Path) -> None:
    folder = complete(install, tmp_path)
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, str(INSTALLER), "--cache", str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert time.monotonic() - began < 1
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["done"], last["python"]) == (True, str(folder / "bin" / "python"))


def test_without_marker_or_interpreter_it_does_not_count(install: ModuleType, tmp_path: Path) -> None:
    folder = complete(install, tmp_path)
    assert install.is_complete(folder, dev=False)
    assert not install.is_complete(folder, dev=True)
    (folder / "bin" / "python").unlink()
    assert not install.is_complete(folder, dev=False)


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("error: Failed to write: No space left on device (os error 28)", "disk"),
        ("error: Request failed\n  Caused by: error sending request for url\n  dns error", "network"),
        ("error: something else", "install"),
    ],
)
def test_failures_are_told_apart(install: ModuleType, output: str, code: str) -> None:
    error = install.failure(["uv", "pip", "sync"], output)
    assert error.code == code
    assert output.splitlines()[-1] in str(error)


def test_an_old_python_and_a_small_disk_are_named(
    install: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(install, "MINIMUM_PYTHON", (99, 0))
    with pytest.raises(install.InstallError, match="too old"):
        install.check_python()
    with pytest.raises(install.InstallError, match="GB free"):
        install.check_disk(tmp_path, 10**18)


def test_a_cache_that_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = subprocess.run(
        [sys.executable, str(INSTALLER), "--cache", str(tmp_path / "file" / "cache")], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "cannot be used" in json.loads(done.stdout.splitlines()[-1])["message"]
