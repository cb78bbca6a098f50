"""The test layers: all of them run, and one summary line at the end covers all."""

import re
from pathlib import Path

import pytest

from scripts import layers

PASSES = "def test_a(): pass\ndef test_b(): pass\n"
FAILS = "import pytest\ndef test_a(): assert False\n@pytest.mark.skip\ndef test_b(): pass\n"
# Each waits for the other group: they do run at once.
GROUP = """
import os, pathlib, time, pytest

def test_a():
    here = pathlib.Path(__file__).parents[1]
    (here / f"{name}-{{os.getpid()}}").touch()
    for _ in range(300):
        if {{path.name.partition("-")[0] for path in here.glob("*-*")}} == {{"one", "two"}}:
            return
        time.sleep(0.1)
    pytest.fail("the other group does not run")
"""


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
    assert layers.main(["--grouped", "good"]) == 0
    assert re.fullmatch(r"PASSED  good: 2 passed in \d+ s; \d+ s in all", last_line(capsys))


def test_a_failed_layer_fails_the_whole_but_the_next_one_is_run(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert layers.main(["--parallel", "bad", "good"]) == 1
    line = last_line(capsys)
    assert line.startswith("FAILED (bad)  bad: 0 passed, 1 failed, 1 skipped in ")
    assert "good: 2 passed" in line


def test_a_layer_without_tests_is_a_failure(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert layers.main(["--grouped", "empty"]) == 1
    assert "FAILED (empty)  empty: 0 passed, pytest exit code 5" in last_line(capsys)


def test_folders_of_a_grouped_layer_are_one_layer(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert layers.main(["--grouped", "bad", "good"]) == 1
    assert last_line(capsys).startswith("FAILED (bad + good)  bad + good: 2 passed, 1 failed, 1 skipped in ")


def test_tests_of_one_folder_share_a_process_and_two_folders_run_side_by_side(
    root: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        folder = root / "groups" / name
        folder.mkdir(parents=True)
        for number in (1, 2):
            (folder / f"test_{name}_{number}.py").write_text(GROUP.format(name=name))
    assert layers.main(["--grouped", "groups"]) == 0, capfd.readouterr().out
    found = sorted(path.name.partition("-")[0] for path in (root / "groups").glob("*-*"))
    assert found == ["one", "two"], "a folder ran in two processes"


def test_what_takes_long_is_named(
    root: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "SLOW", (layers.SLOW[0], "--durations-min=0"))
    layers.main(["--grouped", "good"])
    assert re.search(r"s call +good/test_good\.py::test_a", capfd.readouterr().out)


def test_seconds_are_summed_by_folder_and_by_file_of_the_layer_itself(tmp_path: Path) -> None:
    cases = (("tests.box.eks.test_a", 2), ("tests.box.eks.deep.test_b", 3), ("tests.box.test_c", 4))
    lines = "".join(f'<testcase classname="{name}" name="test" time="{seconds}"/>' for name, seconds in cases)
    (tmp_path / "report.xml").write_text(f"<testsuites><testsuite>{lines}</testsuite></testsuites>")
    assert layers.seconds_by_part("tests/box/", tmp_path / "report.xml") == {"eks": 5, "test_c": 4}
    assert layers.seconds_by_part("tests/box", tmp_path / "missing.xml") == {}


@pytest.mark.parametrize("arguments", [["--grouped", "nowhere"], []])
def test_a_layer_that_is_not_there_is_named(
    root: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        layers.main(arguments)
    assert caught.value.code == 2
    assert ("nowhere" if arguments else "name a folder") in capsys.readouterr().err
