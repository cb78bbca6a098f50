"""The layers of tests: every one is run, and one line at the end speaks of all."""

import re
from pathlib import Path

import pytest

from tools import layers

PASSES = "def test_a(): pass\ndef test_b(): pass\n"
FAILS = "import pytest\ndef test_a(): assert False\n@pytest.mark.skip\ndef test_b(): pass\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(layers, "ROOT", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    for layer, content in (("good", PASSES), ("bad", FAILS), ("empty", "")):
        (tmp_path / layer).mkdir()
        (tmp_path / layer / f"test_{layer}.py").write_text(content)
    return tmp_path


def last_line(captured: pytest.CaptureFixture[str]) -> str:
    return captured.readouterr().out.strip().splitlines()[-1]


def test_layers_that_pass_end_with_one_line_of_both(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert layers.main(["--serial", "good"]) == 0
    assert re.fullmatch(r"PASSED  good: 2 passed in \d+ s; \d+ s in all", last_line(capsys))


def test_a_failed_layer_fails_the_whole_but_the_next_one_is_run(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert layers.main(["--serial", "bad", "good"]) == 1
    line = last_line(capsys)
    assert line.startswith("FAILED (bad)  bad: 0 passed, 1 failed, 1 skipped in ")
    assert "good: 2 passed" in line


def test_a_layer_without_tests_is_a_failure(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert layers.main(["--serial", "empty"]) == 1
    assert "FAILED (empty)  empty: 0 passed, pytest exit code 5" in last_line(capsys)


def test_what_takes_long_is_named(
    root: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "SLOW", (layers.SLOW[0], "--durations-min=0"))
    layers.main(["--serial", "good"])
    assert re.search(r"s call +good/test_good\.py::test_a", capfd.readouterr().out)


@pytest.mark.parametrize("arguments", [["--serial", "nowhere"], []])
def test_a_layer_that_is_not_there_is_named(
    root: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        layers.main(arguments)
    assert caught.value.code == 2
    assert ("nowhere" if arguments else "name a folder") in capsys.readouterr().err
