"""`project.yaml`, the contract between a team and the platform: schema, rules and loading."""

from ml_workloads.project.load import PROJECT_FILE, find_projects, load_project, parse_project
from ml_workloads.project.project import Project

__all__ = ["PROJECT_FILE", "Project", "find_projects", "load_project", "parse_project"]
