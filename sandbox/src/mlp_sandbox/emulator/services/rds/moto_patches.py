"""RDS: values that are constant in moto and unique on AWS, set at their creation in moto."""

import json
import string
from typing import Any

from moto.core.utils import utcnow
from moto.moto_api._internal import mock_random
from moto.rds import models

# AWS excludes / @ " and space from managed passwords.
_PASSWORD_CHARACTERS = string.ascii_letters + string.digits + "!#$%&()*+-.:<=>?[]^_{|}~"


def _secret_string(self: Any) -> str:
    password = "".join(mock_random.choice(_PASSWORD_CHARACTERS) for _ in range(28))
    return json.dumps({"username": self.resource.master_username, "password": password})


def _with_unique_resource_id(original: Any) -> Any:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.dbi_resource_id = "db-" + "".join(mock_random.choices(string.ascii_uppercase + string.digits, k=26))

    return __init__


def _unless_saved(original: Any) -> Any:
    """Skip an automated snapshot whose name exists already.

    The names contain the minute. When an instance's name is reused within it, moto would fail halfway through the
    creation.
    """

    def save_automated_backup(self: Any) -> None:
        name = f"rds:{self.db_instance_identifier}-{utcnow():%Y-%m-%d-%H-%M}"
        if name not in self.backend.database_snapshots:
            original(self)

    return save_automated_backup


_secret: Any = models.MasterUserSecret
_secret._generate_secret_string = _secret_string
_instance: Any = models.DBInstance
_instance.__init__ = _with_unique_resource_id(_instance.__init__)
_instance.save_automated_backup = _unless_saved(_instance.save_automated_backup)
