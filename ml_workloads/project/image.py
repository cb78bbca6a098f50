"""Source files that the image of a project is built from."""

from pathlib import PurePosixPath

from components.images.sources import ImageSource
from ml_workloads.project.load import PROJECT_FILE
from ml_workloads.project.project import Project

EXAMPLE_FILE = "example.json"
"""An example request to the project's model."""

SAMPLE_FILES = ("sample.csv", "sample.parquet")
"""Files with some rows that `mlp projects check` tries the project's code on. The first file that exists is used."""

PROJECTS = PurePosixPath("ml_workloads/projects")
_SHARED = (PurePosixPath("ml_workloads/__init__.py"), PurePosixPath("ml_workloads/runtime"))

RUNTIME_IMAGE = ImageSource(
    dockerfile=PurePosixPath("ml_workloads/runtime/Dockerfile"),
    paths=_SHARED,
    left_out=frozenset({"requirements.in"}),
)
"""The image that conducts training runs: the runtime without any project's code."""


def project_image(project: Project) -> ImageSource:
    """Return the image's source: Dockerfile, the shared runtime, and the project's folder.

    Files that no pod needs are left out, so a change of settings or documentation does not make a new image.
    """
    folder = PROJECTS / project.name
    return ImageSource(
        dockerfile=folder / "Dockerfile",
        paths=(*_SHARED, folder),
        left_out=frozenset({PROJECT_FILE, EXAMPLE_FILE, *SAMPLE_FILES, "README.md", "tests"}),
    )
