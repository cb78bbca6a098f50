"""Each finding states its software, its observation and its date; `make findings` reports all of them."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FINDINGS = ROOT / "findings"
SCRIPTS = sorted(FINDINGS.glob("*.sh"))
FIELDS = ["Behaviour", "Package", "Version", "Date", "Expected", "Observed", "Consequence", "Output", "See"]
FIELD = re.compile(r"# ([A-Z][a-z]+):(?: (.*))?")


def header(text: str) -> dict[str, list[str]]:
    """Return the fields of the comment after the first line, in order: name to its lines."""
    fields: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines()[1:]:
        if not line.startswith("#"):
            break
        if match := FIELD.fullmatch(line):
            name = match[1]
            fields[name] = [match[2]] if match[2] else []
        else:
            fields[name].append(line.removeprefix("#   "))
    return fields


def problems(text: str) -> list[str]:
    """Return the reasons why a script's header does not describe its finding."""
    fields = header(text)
    if list(fields) != FIELDS:
        return [f"the header has {', '.join(fields)}; write {', '.join(FIELDS)}, in this order"]
    found = [f"{name} is empty" for name, lines in fields.items() if not lines]
    package, version, day = ("".join(fields[name]) for name in ("Package", "Version", "Date"))
    if not re.search(re.escape(package) + r"(==|@)" + re.escape(version) + r"(?![\w.])", text):
        found.append(f"no line of the script installs {package} {version}")
    if not fields["Output"] or package not in fields["Output"][0] or version not in fields["Output"][0]:
        found.append(f"the output does not begin with {package} {version}")
    if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", day):
        found.append(f"the date is {day}; write the day of the observation, as 2026-11-29")
    return found


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([FINDINGS / "run", folder], capture_output=True, text=True, check=False)


def test_there_are_findings() -> None:
    assert SCRIPTS


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_names_package_version_date_behaviour_and_output(script: Path) -> None:
    assert problems(script.read_text()) == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_can_be_executed_and_announces_a_change(script: Path) -> None:
    assert script.stat().st_mode & 0o111
    assert "changed: " in script.read_text()


@pytest.mark.parametrize(
    ("line", "instead", "problem"),
    [
        ("# Date: 2026-11-29\n", "", "the header has"),
        ("# Date: 2026-11-29\n", "# Date: yesterday\n", "the date is yesterday"),
        ("# Version: 0.54.0\n", "# Version: 0.5\n", "no line of the script installs uvicorn 0.5"),
        ("#   uvicorn 0.54.0\n", "", "the output does not begin with uvicorn 0.54.0"),
    ],
)
def test_a_planted_gap_in_a_header_is_found(line: str, instead: str, problem: str) -> None:
    text = (FINDINGS / "uvicorn_sigterm.sh").read_text()
    assert line in text
    assert problems(text.replace(line, instead))[0].startswith(problem)


def test_all_of_them_are_run_and_one_that_fails_fails_the_whole(tmp_path: Path) -> None:
    (tmp_path / "a_changed.sh").write_text("echo changed: it is fixed >&2\nexit 3\n")
    (tmp_path / "b_holds.sh").write_text("echo as described\n")
    done = run(tmp_path)
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "fail  a_changed.sh",
        "      changed: it is fixed",
        "pass  b_holds.sh",
        "1 passed, 1 failed",
    ]


def test_all_of_them_pass_when_each_does(tmp_path: Path) -> None:
    (tmp_path / "holds.sh").write_text("true\n")
    done = run(tmp_path)
    assert (done.returncode, done.stdout.splitlines()) == (0, ["pass  holds.sh", "1 passed, 0 failed"])


def test_a_folder_without_findings_is_no_failure(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert (done.returncode, done.stdout) == (0, "0 passed, 0 failed\n")
