"""The transfer of pip's configuration to uv."""

from pathlib import Path

import pytest

from mlp.machine.pip_configuration import parse_pip_configuration, uv_arguments, uv_variables

INDEX = "https://user:word@index.example/simple"


@pytest.mark.parametrize(
    ("pip", "expected"),
    [
        ({}, {}),
        ({"index-url": INDEX}, {"UV_DEFAULT_INDEX": INDEX}),
        (
            {"extra-index-url": "https://a.example/simple\nhttps://b.example/simple"},
            {
                "UV_INDEX": "https://a.example/simple https://b.example/simple",
                "UV_INDEX_STRATEGY": "unsafe-best-match",
            },
        ),
        ({"find-links": "https://a.example/wheels"}, {"UV_FIND_LINKS": "https://a.example/wheels"}),
        ({"find-links": "/no/such/folder"}, {}),
        ({"cert": "/ca.pem", "client-cert": "/me.pem"}, {"SSL_CERT_FILE": "/ca.pem", "SSL_CLIENT_CERT": "/me.pem"}),
        ({"timeout": "60"}, {"UV_HTTP_TIMEOUT": "60"}),
        ({"default-timeout": "180"}, {"UV_HTTP_TIMEOUT": "180"}),
        ({"timeout": "2.5", "default-timeout": "180"}, {"UV_HTTP_TIMEOUT": "2"}),
        ({"retries": "9"}, {"UV_HTTP_RETRIES": "9"}),
        ({"proxy": "http://proxy.example:3128"}, {"ALL_PROXY": "http://proxy.example:3128"}),
        ({"trusted-host": "a.example\nb.example"}, {"UV_INSECURE_HOST": "a.example b.example"}),
        ({"disable-pip-version-check": "1", "colour": "always"}, {}),
    ],
)
def test_every_option_has_its_word_in_uv(pip: dict[str, str], expected: dict[str, str]) -> None:
    assert uv_variables(pip, {}) == expected


def test_folders_of_wheels_are_taken_when_they_exist(tmp_path: Path) -> None:
    pip = {"find-links": f"{tmp_path} /no/such/folder https://a.example/wheels"}
    assert uv_variables(pip, {}) == {"UV_FIND_LINKS": f"{tmp_path},https://a.example/wheels"}


def test_what_the_user_set_for_uv_stays() -> None:
    pip = {"index-url": INDEX, "timeout": "60"}
    assert uv_variables(pip, {"UV_DEFAULT_INDEX": "https://mine.example/simple"}) == {"UV_HTTP_TIMEOUT": "60"}


@pytest.mark.parametrize(("value", "expected"), [("true", ["--no-index"]), ("1", ["--no-index"]), ("false", [])])
def test_no_index_is_an_argument(value: str, expected: list[str]) -> None:
    assert uv_arguments({"no-index": value}) == expected


def test_the_environment_wins_over_the_command_and_that_over_the_file() -> None:
    listing = """global.index-url='https://file.example/simple'
:env:.index-url='https://environment.example/simple'
install.timeout='7'
global.timeout='5'
freeze.timeout='3'
"""
    assert parse_pip_configuration(listing) == {"index-url": "https://environment.example/simple", "timeout": "7"}


def test_lines_and_quotes_inside_a_value_survive() -> None:
    listing = """global.extra-index-url='https://a.example\\nhttps://b.example'\n:env:.cert="/it's.pem"\n"""
    assert parse_pip_configuration(listing) == {
        "extra-index-url": "https://a.example\nhttps://b.example",
        "cert": "/it's.pem",
    }


def test_what_is_no_configuration_is_passed_over() -> None:
    assert parse_pip_configuration("WARNING: something\n\nglobal.cert='/ca.pem'\n") == {"cert": "/ca.pem"}
