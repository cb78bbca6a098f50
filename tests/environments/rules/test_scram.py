"""The verifier sent to PostgreSQL in place of a password equals the one that the server would compute."""

import base64

import pytest
from mlflow_server.scram import verifier

from mlp_sandbox.databases.postgres.roles import verifies


def test_the_verifier_is_that_of_rfc_7677():
    """Salt and keys are those of the exchange in its section 3, with the password `pencil`."""
    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    assert verifier("pencil", salt) == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


def test_it_does_not_hold_the_password_and_is_another_one_each_time():
    made = {verifier("correct-horse") for _ in range(3)}
    assert len(made) == 3
    assert not [text for text in made if "correct-horse" in text]
    assert all(verifies(text, "correct-horse") and not verifies(text, "wrong") for text in made)


@pytest.mark.parametrize("password", ["", "pässword"])
def test_a_password_that_would_have_to_be_normalised_is_refused(password: str):
    with pytest.raises(ValueError, match="in ASCII, and not empty"):
        verifier(password)
