"""User errors are shown without a traceback; other errors keep theirs."""

import pytest
import typer

from components.checkout import SourceError
from mlp.bootstrap.plan import BootstrapError
from mlp.console import PlainError, plain_errors
from validation.errors import SettingsError


class ForeignError(ValueError):
    is_for_people = True


class SpecialError(ForeignError): ...


class HiddenError(PlainError):
    is_for_people = False


def fail(error: BaseException) -> None:
    with plain_errors():
        raise error


@pytest.mark.parametrize("kind", [PlainError, SettingsError, SourceError, BootstrapError, ForeignError, SpecialError])
def test_an_error_for_people_is_one_line_and_ends_with_one(
    kind: type[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        fail(kind("[b]port[/b] 80: use a port from 1024"))
    assert ended.value.exit_code == 1
    assert capsys.readouterr().err == "error: [b]port[/b] 80: use a port from 1024\n"


@pytest.mark.parametrize("error", [ValueError("a mistake of ours"), HiddenError("not for people"), OSError("gone")])
def test_any_other_error_passes_through(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(type(error)) as raised:
        fail(error)
    assert raised.value is error
    assert capsys.readouterr().err == ""


def test_an_attribute_of_the_error_alone_does_not_count() -> None:
    error = ValueError("a mistake of ours")
    error.is_for_people = True  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(ValueError, match="a mistake of ours"):
        fail(error)


def test_exit_codes_of_a_command_stay_what_they_are() -> None:
    with pytest.raises(typer.Exit) as ended:
        fail(typer.Exit(3))
    assert ended.value.exit_code == 3


def test_an_interrupted_command_ends_with_130_and_can_be_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        fail(KeyboardInterrupt())
    assert ended.value.exit_code == 130
    assert "interrupted" in capsys.readouterr().err
