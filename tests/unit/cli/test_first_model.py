"""Which projects `mlp up` brings to a first answer."""

from cli.first_model import projects_with_examples


def test_projects_are_asked_where_they_are_served_and_bring_an_example():
    assert [project.name for project in projects_with_examples("dev")] == ["tumour-diagnosis"]
    assert projects_with_examples("prod") == []
