"""Deterministic randomness: every identifier, password and key of the account derives from a seed.

A replay therefore produces the same values. moto draws most of its randomness from one seedable generator. This module
redirects the rest (os.urandom in KMS, S3 and STS, uuid in RDS, private keys made by OpenSSL). Bytes come from the
seeded generator. OpenSSL cannot derive private keys from a seed, so these are recorded when made and returned again in
a replay.
"""

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from types import ModuleType
from typing import Any

import moto.cloudwatch.models
import moto.ec2.utils
import moto.kms.models
import moto.kms.responses
import moto.kms.utils
import moto.rds.models
import moto.s3.models
import moto.s3control.models
import moto.sts.utils
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from moto.core.base_backend import AccountSpecificBackend
from moto.moto_api._internal import mock_random


class _Overlay:
    """A module with some of its names replaced, for the one module that imports it."""

    def __init__(self, module: ModuleType, **replaced: Any) -> None:
        self.__dict__.update(replaced)
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class KeyTape:
    """Private keys in the order in which one request made them."""

    def __init__(self) -> None:
        self._recorded: list[str] = []
        self._to_play: list[str] = []

    def begin(self, recorded: list[str] | None = None) -> None:
        """Start a request. `recorded` holds the keys to return instead of making new ones."""
        self._recorded, self._to_play = [], list(recorded or [])

    @property
    def recorded(self) -> list[str]:
        """Keys made since the request began, as PEM."""
        return list(self._recorded)

    def rsa_key(self, public_exponent: int = 65537, key_size: int = 2048, backend: Any = None) -> Any:
        """Replace cryptography's rsa.generate_private_key."""
        return self._next(lambda: rsa.generate_private_key(public_exponent, key_size, backend))

    def ec_key(self, curve: ec.EllipticCurve, backend: Any = None) -> Any:
        """Replace cryptography's ec.generate_private_key."""
        return self._next(lambda: ec.generate_private_key(curve, backend))

    def _next(self, make: Any) -> Any:
        if self._to_play:
            pem = self._to_play.pop(0)
            key: Any = load_pem_private_key(pem.encode(), None)
        else:
            key = make()
            pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        self._recorded.append(pem)
        return key


KEYS = KeyTape()


def new_seed() -> str:
    """Return a new random seed."""
    return secrets.token_hex(16)


@contextmanager
def deterministic(seed: str, moment: datetime, keys: list[str] | None = None) -> Generator[None]:
    """Run a request at a frozen moment with its own seed.

    The same arguments give the same outcome.
    """
    KEYS.begin(keys)
    mock_random.seed(seed)
    with time_machine.travel(moment, tick=False):
        yield


@contextmanager
def unrecorded() -> Generator[None]:
    """Run a read. Its randomness (an initialisation vector, a request id) need not be reproducible."""
    KEYS.begin()
    mock_random.seed(new_seed())
    yield


def install(base: str, born: datetime) -> None:
    """Redirect moto's unseeded randomness, and derive a region's first state (default VPC ...) from `base`.

    moto builds a region's state on its first use, which may be a read. So that state must not depend on the time.
    """
    import os
    import uuid

    seeded_os: Any = _Overlay(os, urandom=mock_random.randbytes)
    seeded_uuid: Any = _Overlay(uuid, uuid4=mock_random.uuid4, uuid1=mock_random.uuid1)
    for module in (moto.kms.utils, moto.kms.models, moto.kms.responses, moto.s3.models, moto.sts.utils):
        vars(module)["os"] = seeded_os
    for module in (moto.rds.models, moto.s3control.models):
        vars(module)["uuid"] = seeded_uuid
    cloudwatch: Any = moto.cloudwatch.models
    cloudwatch.uuid4 = mock_random.uuid4
    for module in (moto.kms.utils, moto.ec2.utils):
        vars(module)["rsa"] = _Overlay(rsa, generate_private_key=KEYS.rsa_key)
    kms: Any = moto.kms.utils
    kms.ec = _Overlay(ec, generate_private_key=KEYS.ec_key)
    _install_seeded_backends(base, born)


def _install_seeded_backends(base: str, born: datetime) -> None:
    original = AccountSpecificBackend.__getitem__

    def seeded(self: Any, region_name: str) -> Any:
        name = "aws" if region_name == "global" else region_name
        if dict.__contains__(self, name):
            return dict.__getitem__(self, name)
        state = mock_random.getstate()
        mock_random.seed(f"{base}/{self.service_name}/{self.account_id}/{name}")
        try:
            with time_machine.travel(born, tick=False):
                return original(self, region_name)
        finally:
            mock_random.setstate(state)

    AccountSpecificBackend.__getitem__ = seeded  # type: ignore[method-assign]
