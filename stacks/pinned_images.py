"""Check that production runs third-party images only by digest: a tag may move to another image at any time."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from platform_services.versions import TABLE_FILE, needed
from validation.errors import SettingsError

if TYPE_CHECKING:
    from stacks.settings import PlatformSettings

VARIABLE: Final = "MLP_UNPINNED_IMAGES"
ALLOWED: Final = "allowed"


def check_images(settings: PlatformSettings, environment: Mapping[str, str] | None = None) -> None:
    """Raise SettingsError if prod would run an image without a digest.

    MLP_UNPINNED_IMAGES=allowed disables the check, for accounts that run no third-party images.
    """
    if settings.environment != "prod" or (os.environ if environment is None else environment).get(VARIABLE) == ALLOWED:
        return
    pools = settings.cluster.pools.values()
    images = needed(settings.cluster.version, {pool.accelerator for pool in pools}, efa=any(pool.efa for pool in pools))
    without = [image.reference for image in images if not image.digest]
    if without:
        raise SettingsError(
            f"prod: images without a digest: {', '.join(without)}; run `mlp images pin` where their registries can be "
            f"reached, and commit platform_services/{TABLE_FILE.name}"
        )
