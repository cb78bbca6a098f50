"""What goes wrong in the sandbox in a way that the user can mend: shown as one line, without a traceback."""


class SandboxError(Exception):
    """The message names what is wrong, the value and the fix."""

    is_for_people = True
    """`mlp` shows the message without a traceback."""
