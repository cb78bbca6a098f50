"""The one error of this data plane: what went wrong with an instance and what to do, ready to be shown."""


class DataPlaneError(Exception):
    """An instance cannot be brought to what is desired; the text is its status reason."""
