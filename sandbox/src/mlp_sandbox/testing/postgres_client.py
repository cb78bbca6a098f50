"""Image with a PostgreSQL client, built as a user would build an image."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mlp_sandbox.clusters.images import added_images, build_dockerfile
from mlp_sandbox.clusters.images.pinned_packages import pinned_packages
from mlp_sandbox.instance import PROJECT

POSTGRES_CLIENT = "test.local/postgres-client:1"
_DOCKERFILE = """
FROM public.ecr.aws/docker/library/python:3.11-slim
ENV PGSSLROOTCERT=/opt/certificates-of-amazon.pem
COPY requirements.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --no-compile --require-hashes --root-user-action=ignore -r /tmp/requirements.txt
"""


def ensure_postgres_client() -> None:
    """Build the image `POSTGRES_CLIENT` unless it exists. Its PGSSLROOTCERT is that of an image made for AWS."""
    if any(image.reference == POSTGRES_CLIENT for image in added_images()):
        return
    packages = pinned_packages((PROJECT / "requirements-dev.txt").read_text(), ["psycopg", "psycopg-binary"])
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Dockerfile").write_text(_DOCKERFILE)
        Path(folder, "requirements.txt").write_text(packages)
        build_dockerfile(Path(folder), POSTGRES_CLIENT, lambda _line: None)
