"""What the image of a project is built from."""

from pathlib import PurePosixPath

from components.images import ImageSource
from ml_workloads.project.load import PROJECT_FILE
from ml_workloads.project.project import Project

EXAMPLE_FILE = "example.json"
"""A request to the project's model, to try it with."""

SAMPLE_FILES = ("sample.csv", "sample.parquet")
"""Some rows that `mlp projects check` tries the project's code on, the first that is there."""

PROJECTS = PurePosixPath("ml_workloads/projects")
_SHARED = (PurePosixPath("ml_workloads/__init__.py"), PurePosixPath("ml_workloads/runtime"))

RUNTIME_IMAGE = ImageSource(
    dockerfile=PurePosixPath("ml_workloads/runtime/Dockerfile"),
    paths=_SHARED,
    left_out=frozenset({"requirements.in"}),
)
"""What conducts training runs: the runtime without any project's code."""


def project_image(project: Project) -> ImageSource:
    """Its Dockerfile, the runtime that every image has, and the project's folder without what no pod needs: other
    settings or words do not make another image."""
    folder = PROJECTS / project.name
    return ImageSource(
        dockerfile=folder / "Dockerfile",
        paths=(*_SHARED, folder),
        left_out=frozenset({PROJECT_FILE, EXAMPLE_FILE, *SAMPLE_FILES, "README.md", "tests"}),
    )
