"""What has to be imported before anything else, and what would otherwise be read again and again."""

import functools

# At import skops asks every loaded module for each of some 800 names. pulumi_aws has modules that load when they are
# asked for anything: with them in the process that takes half a minute.
import skops.io  # pyright: ignore[reportUnusedImport] # noqa: F401
from botocore.loaders import JSONFileLoader

# Each session of boto3 parses the models of its services anew: a third of what tests with an account in memory take.
_parsed = functools.cache(JSONFileLoader().load_file)
JSONFileLoader.load_file = lambda self, file_path: _parsed(file_path)
