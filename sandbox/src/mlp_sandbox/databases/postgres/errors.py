"""Error of this data plane; its text tells a user the problem of an instance and the fix."""


class DataPlaneError(Exception):
    """An instance cannot be brought to the desired state; the text is its status reason."""
