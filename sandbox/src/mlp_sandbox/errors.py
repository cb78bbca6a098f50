"""Error of the sandbox that the user can fix; it is shown as one line, without a traceback."""


class SandboxError(Exception):
    """Error whose message names the problem, the value and the fix."""

    is_for_people = True
    """`mlp` shows the message without a traceback."""
