"""`mlp projects check`: find later failures of a project without a cluster, an account or a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mlp.console import Json, PlainError, console, errors, plain_errors
from mlp.environments import ROOT, STACKS
from mlp.projects.environment import PROJECTS
from mlp.projects.show import print_json

if TYPE_CHECKING:
    from ml_workloads.project import Project
    from ml_workloads.runtime.sample_check import Finding, State
    from mlp.projects.check_code import Tried

SETTINGS, IMAGE, TESTS = "project.yaml", "image", "tests"
_MARKS: Final = {"ok": "ok", "problem": "problem", "note": "note"}
_STYLES: Final = {"ok": "green", "problem": "red", "note": "yellow"}

Names = Annotated[list[str] | None, typer.Argument(help="Projects, as `mlp projects` lists them. All when not given.")]
Sample = Annotated[
    Path | None,
    typer.Option("--sample", help="CSV or Parquet file of real rows; without one they are made up from the contract."),
]
Seconds = Annotated[float, typer.Option("--seconds", min=1, help="How long the code of a project may take.")]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Findings of one project. `row` is a row that its model accepts in a request, if one is known."""

    name: str
    findings: tuple[Finding, ...]
    row: Any = None

    @property
    def problems(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.state == "problem")

    @property
    def notes(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.state == "note")


def check(names: Names = None, sample: Sample = None, seconds: Seconds = 60.0, as_json: Json = False) -> None:
    """Find later failures: settings, names, Dockerfile, imports, contract, training of 100 rows, example.json.

    Needs no cluster, no account and no network. Rows come from --sample, else from sample.csv or sample.parquet beside
    project.yaml, else they are generated from the contract; the quality of a model trained on them is not checked. Exit
    code 1 if there is a problem; notes are not problems.
    """
    with plain_errors():
        if sample is not None and not sample.is_file():
            raise PlainError(f"--sample {str(sample)!r}: there is no such file")
        with errors.status("Checking"):
            found = check_projects(wanted(names or ()), sample, seconds)
        if as_json:
            print_json([as_document(each) for each in found])
        else:
            for each in found:
                show(each)
        if any(each.problems for each in found):
            raise typer.Exit(1)


def wanted(names: Sequence[str], projects: Path = PROJECTS) -> list[str]:
    """Return the folders to check, without duplicates. Raises PlainError that lists the projects."""
    from ml_workloads.project import PROJECT_FILE

    there = sorted(path.parent.name for path in projects.glob(f"*/{PROJECT_FILE}"))
    for name in names:
        if name not in there and not (projects / name / "Dockerfile").is_file():
            raise PlainError(f"there is no project {name!r}; there are {', '.join(there) or 'none yet'}")
    return list(dict.fromkeys(names)) or there


def check_projects(
    names: Sequence[str],
    sample: Path | None = None,
    seconds: float = 60.0,
    root: Path = ROOT,
    stacks: Path = STACKS,
    slow_sample: State = "problem",
) -> list[Checked]:
    """Check projects and return all findings, for each project by its folder's name.

    Args:
        names: names of the folders.
        sample: a file of rows for all of them, None for the sample of each project.
        seconds: time limit for the code of each project.
        root: root folder of the repository.
        stacks: folder of the stack files.
        slow_sample: state of the finding for a sample that exceeds the time limit while it is read and checked.

    Raises:
        PlainError: the code could not be tried, through no fault of a project.
    """
    from mlp.projects.check_code import try_code
    from mlp.projects.check_names import loadable, name_problems

    loaded = {name: load(name, root) for name in names}
    projects = [each for each in loaded.values() if not isinstance(each, str)]
    with ThreadPoolExecutor(1) as pool:
        tried = pool.submit(try_code, projects, root, sample, seconds, slow_sample)
        clashes = name_problems(projects, loadable(root / "ml_workloads" / "projects"), stacks)
        files = {each.name: list(_files(each, root, stacks)) for each in projects}
        code = tried.result()
    return [_checked(name, each, clashes, files, code) for name, each in loaded.items()]


def load(name: str, root: Path) -> Project | str:
    """Return the project, or the error in its file."""
    from ml_workloads.project import PROJECT_FILE, load_project
    from validation.errors import SettingsError

    try:
        return load_project(root / "ml_workloads" / "projects" / name / PROJECT_FILE)
    except SettingsError as error:
        return str(error)


def _checked(
    name: str,
    loaded: Project | str,
    clashes: Mapping[str, str | None],
    files: Mapping[str, list[Finding]],
    code: Mapping[str, Tried],
) -> Checked:
    from ml_workloads.runtime.sample_check import Finding

    if isinstance(loaded, str):
        return Checked(name=name, findings=(Finding(what=SETTINGS, state="problem", said=loaded),))
    clash = clashes[loaded.name]
    settings = (
        Finding(what=SETTINGS, state="problem", said=clash)
        if clash
        else Finding(what=SETTINGS, state="ok", said=f"a project of team {loaded.team}")
    )
    tried = code[loaded.name]
    return Checked(name=name, findings=_once((settings, *files[loaded.name], *tried.findings)), row=tried.row)


def _once(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Remove duplicates, and ok findings of a part that also has a problem."""
    wrong = {each.what for each in findings if each.state == "problem"}
    return tuple(each for each in dict.fromkeys(findings) if each.state != "ok" or each.what not in wrong)


def _files(project: Project, root: Path, stacks: Path) -> Iterator[Finding]:
    from components.checkout import SourceError
    from ml_workloads.project.image import project_image
    from ml_workloads.runtime.sample_check import Finding
    from mlp.projects.check_image import check_dockerfile, image_installs_more, text_of
    from mlp.projects.check_imports import check_ignored, check_imports
    from mlp.projects.check_nodes import NODES, check_nodes, pools_of
    from validation.errors import SettingsError

    folder = root / "ml_workloads" / "projects" / project.name
    dockerfile, source = folder / "Dockerfile", project_image(project)
    try:
        files = frozenset(source.files(root))
        yield Finding(what=IMAGE, state="ok", said=f"its tag is {source.tag(root)}")
    except (SourceError, ValueError) as error:
        files = frozenset()
        if dockerfile.is_file():
            yield Finding(what=IMAGE, state="problem", said=str(error))
    if files or not dockerfile.is_file():
        yield from check_dockerfile(project, root, files)
    yield from check_imports(project, root, more=image_installs_more(dockerfile))
    if files:
        yield from check_ignored(project, root, files, text_of(dockerfile))
    for environment in project.environments:
        try:
            yield from check_nodes(project, environment, pools_of(environment, stacks))
        except SettingsError as error:
            yield Finding(what=NODES, state="problem", said=str(error))
    if not (folder / "tests").is_dir():
        yield Finding(what=TESTS, state="note", said="there is no folder tests; the example's tests show what to test")
    if project.serving.online and not (folder / "example.json").is_file():
        said = "there is no example.json; write a request to try the model with, as the example's project has"
        yield Finding(what="example.json", state="note", said=said)


def as_document(checked: Checked) -> dict[str, Any]:
    """Return the document of a project for --json."""
    return {
        "name": checked.name,
        "problems": len(checked.problems),
        "findings": [asdict(each) for each in checked.findings],
    }


def show(checked: Checked) -> None:
    """Print the findings of a project, one per line, followed by the number of problems."""
    console.print(f"[bold]{checked.name}[/bold]", highlight=False)
    for each in checked.findings:
        console.print(f"  [{_STYLES[each.state]}]{_MARKS[each.state]:<8}[/]", end="", highlight=False)
        said = f"{each.what}: {each.said}".replace("\n", "\n" + " " * 10)
        console.print(said, highlight=False, markup=False, soft_wrap=True)
    count = len(checked.problems)
    said = (
        f"{count} problem{'s' if count > 1 else ''} to mend." if count else "Nothing that can be found here is wrong."
    )
    console.print(f"  {said}", highlight=False, markup=False)
