"""Loading of `project.yaml` files."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from pydantic import ValidationError

from ml_workloads.project.neighbours import conflicts
from ml_workloads.project.project import Project
from ml_workloads.project.yaml_file import YamlError, read_yaml
from validation.errors import SettingsError, explain

PROJECT_FILE = "project.yaml"


def parse_project(mapping: Mapping[str, object], source: str) -> Project:
    """Build a project from plain data.

    Args:
        mapping: the content of the file.
        source: place that an error message names, such as the path of the file.

    Raises:
        SettingsError: a setting is wrong.
    """
    try:
        return Project.model_validate(mapping)
    except ValidationError as error:
        raise explain(error, Project, source) from None


def load_project(path: Path) -> Project:
    """Load a `project.yaml`.

    Raises:
        SettingsError: the file does not exist or anything in it is wrong. The message is complete.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(f"{path}: there is no such file; each project has one, named after its folder") from None
    except OSError as error:
        raise SettingsError(f"{path}: it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    try:
        mapping = read_yaml(text)
    except YamlError as error:
        raise SettingsError(f"{path}: this is not YAML: {error}") from None
    if not isinstance(mapping, Mapping):
        raise SettingsError(
            f"{path}: got {'nothing' if mapping is None else repr(mapping)}; write a mapping of settings"
        )
    project = parse_project(cast("Mapping[str, object]", mapping), str(path))
    if project.name != path.parent.name:
        raise SettingsError(
            f"{path}\n  name: got {project.name!r}; write {path.parent.name!r}, the name of the folder, "
            "or rename the folder"
        )
    return project


def find_projects(folder: Path) -> tuple[Project, ...]:
    """Return all projects below a folder such as `ml_workloads/projects`, ordered by name.

    Raises:
        SettingsError: a file is wrong, or names of two files conflict. The message lists all problems at once.
    """
    projects: list[Project] = []
    problems: list[str] = []
    for path in sorted(folder.glob(f"*/{PROJECT_FILE}")):
        try:
            projects.append(load_project(path))
        except SettingsError as error:
            problems.append(str(error))
    problems += [f"{folder}: {conflict}" for conflict in conflicts(projects)]
    if problems:
        raise SettingsError("\n".join(problems))
    return tuple(projects)
