"""README and docs match the repository: folders, commands, targets, links and quantities."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from ml_workloads.project import find_projects
from ml_workloads.project.image import PROJECTS
from mlp.app import make_app
from mlp.reference import walk
from stacks.settings import PlatformSettings, parse_settings

ROOT = Path(__file__).resolve().parents[3]
README = ROOT / "README.md"
COSTS = ROOT / "docs" / "costs.md"
SANDBOX = ROOT / "sandbox"
DOCUMENTS = [
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("findings/*.md")),
    *sorted(ROOT.glob("sandbox/*.md")),
    *sorted(ROOT.glob("docs/**/*.md")),
]
LONGEST = 130
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
TREE_LINE = re.compile(r"^([\w.]+/?) {2,}(.+)$")


def tree_entries(text: str) -> list[tuple[str, str]]:
    """Return first column and description of the folder tree: the code block that begins with Pulumi.yaml."""
    (block,) = re.findall(r"^```\n(Pulumi\.yaml.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [(match[1], match[2]) for line in block.splitlines() if (match := TREE_LINE.match(line))]


def named_in(description: str) -> list[str]:
    """Return the files and folders that a tree description names."""
    return re.findall(r"(?<![\w./<>-])((?:[\w-]+/)+|[\w./-]+\.(?:py|mod))(?![\w<])", description)


def commands() -> Iterator[tuple[str, Any]]:
    """Yield every command, without the groups themselves."""
    for path, command in walk(typer.main.get_command(make_app()), ("mlp",)):
        if not hasattr(command, "list_commands"):
            yield " ".join(path), command


def unknown_commands(text: str) -> list[str]:
    """Return the `mlp` commands in a document's code that do not exist."""
    code = re.findall(r"```.*?```|`[^`]+`", text, re.DOTALL)
    used = {match for each in code for match in re.findall(r"(?<![\w./-])mlp(?: [a-z]+)+", each.replace("\n", "; "))}
    groups = {" ".join(name.split()[:length]) for name in COMMANDS for length in range(1, len(name.split()))}
    return sorted(
        words
        for words in used
        if words not in groups and not any(words == name or words.startswith(f"{name} ") for name in COMMANDS)
    )


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub gives to headings."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_left_out(path: Path) -> bool:
    """Return whether a path belongs to the sandbox, and this copy of the repository lacks the sandbox."""
    return not SANDBOX.exists() and path.is_relative_to(SANDBOX)


def broken_links(document: Path) -> list[str]:
    """Return relative links whose file, or heading in it, does not exist."""
    broken: list[str] = []
    for link in LINK.findall(document.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (document.parent / file).resolve() if file else document
        if is_left_out(target):
            continue
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            broken.append(link)
    return broken


def billing_table(text: str) -> dict[str, list[str]]:
    """Return the rows of the hourly cost table: name to the cells of dev, staging and prod."""
    section = text.split("## What bills by the hour", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if "|" in line]
    return {row[0]: row[1:] for row in rows[2:]}


def settings_of(environment: str) -> PlatformSettings:
    path = ROOT / "stacks" / f"Pulumi.{environment}.yaml"
    return parse_settings(yaml.safe_load(path.read_text())["config"]["ml-platform:platform"], path.name)


COMMANDS = dict(commands())


def test_everything_in_the_folder_tree_exists() -> None:
    entries = tree_entries(README.read_text())
    assert len(entries) >= 8
    for name, description in entries:
        if is_left_out(ROOT / name):
            continue
        assert (ROOT / name).exists(), name
        base = ROOT / name if name.endswith("/") else ROOT
        for part in named_in(description):
            assert (base / part).exists(), f"{name}: {part}"


def test_every_tracked_folder_of_the_root_is_in_the_tree() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    folders = {line.split("/")[0] + "/" for line in listed.splitlines() if "/" in line}
    assert folders <= {name for name, _ in tree_entries(README.read_text())}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    assert COMMANDS[name].help


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_a_document_names_exists(document: Path) -> None:
    if SANDBOX.exists() and document.name != "CHANGELOG.md":  # which names commands of earlier versions
        assert unknown_commands(document.read_text()) == []


def test_a_planted_command_that_does_not_exist_is_found() -> None:
    assert unknown_commands("`mlp doctr`, `mlp doctor --json`, prose about mlp itself\n```sh\nmlp images pin\n```") == [
        "mlp doctr"
    ]


def test_the_readme_stays_short() -> None:
    assert len(README.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_resolves(document: Path) -> None:
    assert broken_links(document) == []


def test_a_link_to_a_missing_file_or_heading_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A heading\n[a](missing.md) [b](#a-heading) [c](page.md#none) [d](https://example.com/x)\n")
    assert broken_links(page) == ["missing.md", "page.md#none"]


def test_every_document_is_reached_from_the_readme() -> None:
    reached, waiting = set[Path](), [README]
    while waiting:
        document = waiting.pop()
        if document in reached:
            continue
        reached.add(document)
        links = (link.partition("#")[0] for link in LINK.findall(document.read_text()) if ":" not in link)
        targets = [(document.parent / link).resolve() for link in links if link.endswith(".md")]
        waiting += [target for target in targets if not is_left_out(target)]
    assert set(DOCUMENTS) <= reached


def test_every_make_target_that_the_documents_name_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        named = re.findall(r"`make ([a-z-]+)[^`]*`", document.read_text())
        assert set(named) <= targets, document.name
    assert {"up", "test"} <= set(re.findall(r"`make ([a-z-]+)`", README.read_text()))


def test_every_architecture_decision_is_numbered_once_and_without_gaps() -> None:
    numbers = [path.name[:4] for path in sorted((ROOT / "docs" / "adr").glob("*.md"))]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


@pytest.mark.parametrize(("column", "environment"), [(0, "dev"), (1, "staging"), (2, "prod")])
def test_what_bills_by_the_hour_follows_from_the_stack_files(column: int, environment: str) -> None:
    settings = settings_of(environment)
    zones = len(settings.network.zones)
    gateways = {"none": 0, "single": 1, "per_zone": zones}[settings.network.nat]
    twice = settings.database.multi_az
    pools = list(settings.cluster.pools.items())
    projects = [each for each in find_projects(ROOT / PROJECTS) if environment in each.environments]

    def nodes(counts: dict[str, int]) -> str:
        return ", ".join(
            f"{count} {settings.cluster.pools[name].instance_types[0]}" for name, count in counts.items() if count
        )

    rows = {name: cells[column] for name, cells in billing_table(COSTS.read_text()).items()}
    assert rows == {
        "NAT gateways, each with a public IPv4 address": str(gateways),
        "Interface endpoints × zones": str(len(settings.network.interface_endpoints) * zones),  # noqa: RUF001
        "Attachments to a transit gateway": str(
            sum(each.gateway.startswith("tgw-") for each in settings.network.connections.values())
        ),
        "RDS instance": settings.database.instance_class + (", twice (multi-AZ)" if twice else ""),
        "RDS storage, GB at the start": f"{settings.database.allocated_storage_gb}{', twice' if twice else ''}",
        "EKS clusters": "1",
        "Nodes at the least, of the first type of their pool": nodes({name: pool.min_size for name, pool in pools}),
        "Nodes at the most": nodes({name: pool.max_size for name, pool in pools}),
        "Root disks of the nodes at the least, GB": str(sum(pool.min_size * pool.disk_gb for _, pool in pools)),
        "KMS keys (with the one of the state)": "5",  # secrets, cluster, data, logs
        # Of the database, of MLflow's administrator, and of each project's account with its own.
        "Secrets (with the database's, MLflow's and the projects')": str(
            len(settings.secrets.names) + 2 + sum(1 + len(each.secrets) for each in projects)
        ),
    }
