"""Errors of the sandbox are user errors, so that commands show them without a traceback."""

from mlp_sandbox.errors import SandboxError


def test_an_error_of_the_sandbox_is_for_people():
    assert SandboxError.is_for_people is True
