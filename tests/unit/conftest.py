"""Set-up of the unit tests: an import that must come first, and a cache of botocore's models."""

import functools
from pathlib import Path
from typing import Any

# At import skops asks every loaded module for each of some 800 names. pulumi_aws has modules that load when they are
# asked for anything: with them in the process that takes half a minute.
import skops.io  # pyright: ignore[reportUnusedImport] # noqa: F401
from botocore.loaders import JSONFileLoader

# Each session of boto3 parses the models of its services anew: a third of what tests with an account in memory take.
_parse = JSONFileLoader().load_file
_parsed = functools.cache(_parse)


def _load_file(self: JSONFileLoader, file_path: str) -> Any:
    """Cache all models except S3's: an S3 client removes the bucket from its model's paths.

    Other clients must not see that change.
    """
    return _parse(file_path) if Path(file_path).parts[-3:-2] == ("s3",) else _parsed(file_path)


JSONFileLoader.load_file = _load_file
