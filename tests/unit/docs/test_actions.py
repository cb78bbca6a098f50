"""Workflows pin third-party actions to a commit, so that a moved tag changes nothing here."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted(path for path in (ROOT / ".github").rglob("*.y*ml") if "uses:" in path.read_text())
USES = re.compile(r"^\s*(?:- )?uses:\s*(.+?)\s*$", re.MULTILINE)
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def unpinned(text: str) -> list[str]:
    """Return uses of third-party actions that lack a full commit with the version as a comment."""
    return [used for used in USES.findall(text) if not used.startswith("./") and not PINNED.fullmatch(used)]


def test_workflows_and_actions_are_looked_at() -> None:
    assert {path.name for path in FILES} >= {"check.yml", "images.yml", "action.yml"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_action_is_pinned_to_a_commit_and_names_its_version(path: Path) -> None:
    assert unpinned(path.read_text()) == []


def test_one_action_has_one_commit_everywhere() -> None:
    pins = {used for path in FILES for used in USES.findall(path.read_text()) if not used.startswith("./")}
    assert len(pins) == len({used.partition("@")[0] for used in pins})


@pytest.mark.parametrize(
    "used",
    [
        "actions/checkout@v4",
        "actions/checkout@main # v4.4.0",
        "actions/checkout@11d5960a326750d5838078e36cf38b85af677262",
        "actions/checkout@11d5960 # v4.4.0",
        "actions/checkout",
        "docker://alpine:3.22",
    ],
)
def test_a_planted_use_without_commit_or_version_is_found(used: str) -> None:
    assert unpinned(f"    steps:\n      - uses: {used}\n") == [used]
