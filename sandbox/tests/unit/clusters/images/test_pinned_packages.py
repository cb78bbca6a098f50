"""The subset of requirements.txt that a few packages need."""

import pytest

from mlp_sandbox.clusters.images.pinned_packages import pinned_packages
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.instance import PROJECT

REQUIREMENTS = """# compiled
boto3==1.44.5 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
pulumi==3.259.0 \\
    --hash=sha256:cc
Python_Dateutil==2.9 \\
    --hash=sha256:dd
six==1.17.0 \\
    --hash=sha256:ee
"""
NEEDS = {
    "boto3": ["python.dateutil>=2; python_version >= '3'", "colorama; sys_platform == 'win32'", "crt; extra == 'crt'"],
    "python-dateutil": ["six>=1.5", "boto3"],
}


def test_packages_come_with_all_they_depend_on_and_all_their_hashes() -> None:
    found = pinned_packages(REQUIREMENTS, ["boto3"], lambda name: NEEDS.get(name))
    names = [line.split("=")[0] for line in found.splitlines() if not line.startswith(" ")]
    assert names == ["boto3", "Python_Dateutil", "six"]
    assert found.count("--hash=") == 4
    assert "    --hash=sha256:bb\nPython_Dateutil" in found


def test_a_package_that_is_not_pinned_is_named() -> None:
    with pytest.raises(SandboxError, match=r"requirements.txt does not pin kubernetes; .*make requirements"):
        pinned_packages(REQUIREMENTS, ["kubernetes"], lambda name: None)


def test_the_projects_pins_hold_what_the_stand_in_for_the_autoscaler_needs() -> None:
    found = pinned_packages((PROJECT / "requirements.txt").read_text(), ["boto3", "kubernetes"])
    names = {line.split("=")[0] for line in found.splitlines() if not line.startswith(" ")}
    assert {"boto3", "botocore", "kubernetes", "urllib3", "six"} <= names
    assert "pulumi" not in names
