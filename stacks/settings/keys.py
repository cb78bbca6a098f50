"""Settings of encryption keys. https://docs.aws.amazon.com/kms/latest/developerguide/rotating-keys-enable.html"""

from pydantic import Field

from validation.base import Section


class KeySettings(Section):
    rotation_days: int = Field(default=365, ge=90, le=2560)
    """Days between automatic rotations of the key material."""
    deletion_window_days: int = Field(default=30, ge=7, le=30)
    """Waiting period in days in which a deletion can be cancelled. After it, everything that the key encrypts is
    lost."""
