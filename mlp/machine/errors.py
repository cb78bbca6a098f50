"""Setup errors that the user can fix: printed as one line, without a traceback."""


class SetUpError(Exception):
    """Setup error. The message names the problem, the value and the fix."""
