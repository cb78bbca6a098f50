"""Repository files name only existing things: license, changelog, owners, hooks, updates and issue forms."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
GITHUB = ROOT / ".github"
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
MANIFESTS = {
    "github-actions": ("*.yml", ".github/workflows/*.yml"),
    "gomod": ("go.mod",),
    "pip": ("pyproject.toml", "requirements*.in"),
}


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def versions() -> list[str]:
    """Return the headings of the changelog, newest first."""
    return re.findall(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_the_license_is_the_full_apache_license() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License\n" in text
    assert "Version 2.0, January 2004" in text
    assert re.search(r"9\. Accepting Warranty.*END OF TERMS AND CONDITIONS.*APPENDIX", text, re.DOTALL)


def test_the_changelog_begins_with_what_is_unreleased_and_orders_versions() -> None:
    unreleased, *released = versions()
    assert unreleased == "Unreleased"
    numbers = [tuple(int(part) for part in version.split(".")) for version in released]
    assert numbers == sorted(set(numbers), reverse=True)


def test_the_packaged_version_is_the_newest_one_of_the_changelog() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text()).get("project", {})
    assert project.get("version", versions()[1]) == versions()[1]


def test_hooks_run_programs_of_this_repository_only() -> None:
    pinned = (ROOT / "requirements-dev.txt").read_text()
    for source in read(ROOT / ".pre-commit-config.yaml")["repos"]:
        assert source["repo"] == "local"
        for hook in source["hooks"]:
            program = hook["entry"].split()[0]
            name = program.removeprefix(".venv/bin/")
            assert program == "make" or (name != program and re.search(rf"^{name}==", pinned, re.MULTILINE)), program


def test_updates_are_proposed_for_folders_that_hold_pins() -> None:
    for update in read(GITHUB / "dependabot.yml")["updates"]:
        for directory in update["directories"]:
            if directory.startswith("/sandbox/") and not (ROOT / "sandbox").exists():
                continue  # a copy of the repository may leave the sandbox out
            patterns = [f"{directory.strip('/')}/{name}".lstrip("/") for name in MANIFESTS[update["package-ecosystem"]]]
            assert any(list(ROOT.glob(pattern)) for pattern in patterns), f"{update['package-ecosystem']}: {directory}"


def test_every_owned_path_exists_and_has_an_owner() -> None:
    lines = [line.split() for line in (GITHUB / "CODEOWNERS").read_text().splitlines() if line and line[0] != "#"]
    assert lines[0][0] == "*"
    for path, *owners in lines:
        assert list(ROOT.glob(path.strip("/"))), path
        assert owners, path
        assert all(re.fullmatch(r"@[\w-]+/[\w-]+", owner) for owner in owners), path


def test_every_project_has_its_team_as_owner() -> None:
    owned = (GITHUB / "CODEOWNERS").read_text()
    for path in (ROOT / "ml_workloads" / "projects").glob("*/project.yaml"):
        line = rf"^/{re.escape(str(path.parent.relative_to(ROOT)))}/ +@[\w-]+/{read(path)['team']}$"
        assert re.search(line, owned, re.MULTILINE), f"CODEOWNERS lacks {path.parent.name}"


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.stem)
def test_an_issue_form_has_what_github_asks_for(path: Path) -> None:
    form = read(path)
    assert form["name"]
    assert form["description"]
    fields = [field for field in form["body"] if field["type"] != "markdown"]
    ids = [field["id"] for field in fields]
    assert len(ids) == len(set(ids))
    assert all(field["attributes"]["label"] for field in fields)
