"""Pulumi program of one environment; it reads the settings of the selected stack."""

import gc

import pulumi

# The program runs for seconds, and its imports create hundreds of thousands of permanent objects. With the default
# thresholds the garbage collector takes a fifth of the run time.
gc.set_threshold(100_000, 50, 100)

from components.checkout import SourceError
from components.images.sources import ROOT
from ml_workloads.project import find_projects
from ml_workloads.project.image import PROJECTS
from stacks.environment import Environment
from stacks.pinned_images import check_images
from stacks.providers import aws_provider
from stacks.settings import SettingsError, load_settings
from stacks.support import check_support, today


def main() -> None:
    try:
        settings = load_settings(pulumi.Config())
        check_support(settings, today())
        check_images(settings)
        projects = find_projects(ROOT / PROJECTS)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    options = pulumi.ResourceOptions(providers=[aws_provider(settings)])
    try:
        environment = Environment("environment", settings, projects, options)
    except SourceError as error:
        raise pulumi.RunError(str(error)) from None
    for name, value in environment.exports.items():
        pulumi.export(name, value)


main()
