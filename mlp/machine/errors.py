"""What goes wrong in the set-up in a way that the user can mend: shown as one line, without a traceback."""


class SetUpError(Exception):
    """The message names what is wrong, the value and the fix."""
