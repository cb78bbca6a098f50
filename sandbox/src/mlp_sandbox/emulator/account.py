"""The emulated AWS account: it passes one request at a time through moto and the extensions, and into the journal."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, TypeAlias

from flask import Flask
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from mlp_sandbox.emulator import quotas, randomness, services
from mlp_sandbox.emulator.authorization import anonymous
from mlp_sandbox.emulator.authorization.gate import authorise
from mlp_sandbox.emulator.classify import is_write
from mlp_sandbox.emulator.faults import Fault, fault_reply, internal_failure, not_implemented
from mlp_sandbox.emulator.identify import Identity, identify
from mlp_sandbox.emulator.journal import Journal, JournalError
from mlp_sandbox.emulator.messages import Reply, Request, call_wsgi, environ_for
from mlp_sandbox.emulator.services.registry import Call, Store, UpstreamError, extension_of

_log = logging.getLogger(__name__)
PROGRESS_SECONDS = 2.0

WriteListener: TypeAlias = Callable[[Identity], None]


class Account:
    """The state of the account and the single lock that guards it."""

    def __init__(self, journal: Journal) -> None:
        self.lock = threading.RLock()
        self.replayed = 0
        self.to_replay = 0
        self.writes = 0
        self.ready = False
        self._journal = journal
        self._refusal: str | None = None
        self._unrecorded = False
        self._store = Store()
        self._listeners: list[WriteListener] = []
        randomness.install(journal.base, journal.born)
        services.load()
        quotas.load()
        self._moto = DomainDispatcherApplication(_create_app)

    def on_write(self, listener: WriteListener) -> None:
        """Call `listener` after every write.

        Rejected writes count too. The listener runs under the lock, so it must be quick.
        """
        self._listeners.append(listener)

    def replay(self) -> None:
        """Execute the journal again, in order, at the recorded times.

        Raises:
            JournalError: An entry cannot be read, or its outcome (success or error) differs from the recorded one.
        """
        entries = self._journal.load()
        self.to_replay = len(entries)
        started = told = time.perf_counter()
        with self.lock:
            for entry in entries:
                request = self._journal.complete(entry)
                with randomness.deterministic(entry.seed, entry.moment, list(entry.keys)):
                    reply = self._replay_one(identify(request), request, entry.status)
                if (reply.status >= 400) != (entry.status >= 400):
                    raise JournalError(
                        f"{self._journal.path}, line {entry.line}: {entry.name} answered {entry.status} when it was "
                        f"recorded and now answers {reply.status} "
                        f"({reply.body[:300].decode('utf-8', 'replace')}); was the journal "
                        "written by another version? Reset the account to start empty"
                    )
                self.replayed += 1
                if time.perf_counter() - told > PROGRESS_SECONDS:
                    told = time.perf_counter()
                    _log.info("replaying: %d of %d requests", self.replayed, self.to_replay)
            self.ready = True
        _log.info("replayed %d requests in %.1f s", self.replayed, time.perf_counter() - started)

    def handle(self, request: Request) -> Reply:
        """Answer a request. A write is on disk when this returns."""
        if not self.ready:
            return fault_reply(identify(request), Fault("ServiceUnavailable", self._progress(), 503))
        with self.lock:
            identity = identify(request)
            if not is_write(identity, request.method):
                with randomness.unrecorded():
                    return self._refused(identity, request) or self._execute(identity, request)
            # Deny before recording: a denied request changes nothing, and a replay then needs no authorisation.
            refused = self._refused(identity, request) or self._beyond_quotas(identity, request)
            if refused is not None:
                return refused
            if self._refusal is not None:
                return fault_reply(identity, Fault("InternalFailure", self._refusal, 501))
            return self._write(identity, request)

    def _write(self, identity: Identity, request: Request) -> Reply:
        moment, seed = datetime.now(UTC), randomness.new_seed()
        with randomness.deterministic(seed, moment):
            reply = self._execute(identity, request)
        if self._unrecorded:
            return reply
        name = f"{identity.service}:{identity.operation or request.method}"
        try:
            # Record rejected writes too: moto may have changed state before it rejected them, and does the same in a
            # replay.
            self._journal.append(
                request, moment=moment, seed=seed, name=name, keys=randomness.KEYS.recorded, status=reply.status
            )
        except OSError as error:
            self._refusal = (
                f"The local AWS account takes no more writes: {name} could not be recorded in {self._journal.folder} "
                f"({error.strerror or error}). Free disk space, then restart the account; it comes back with "
                "everything that was acknowledged."
            )
            _log.error("%s", self._refusal)
            return fault_reply(identity, Fault("InternalFailure", self._refusal, 501))
        self.writes += reply.status < 400
        for listener in self._listeners:
            listener(identity)
        return reply

    def _replay_one(self, identity: Identity, request: Request, status: int) -> Reply:
        # Journals of earlier versions contain requests that a bucket policy denied.
        refused = self._refused(identity, request) if status == HTTPStatus.FORBIDDEN else None
        return refused or self._execute(identity, request)

    def _refused(self, identity: Identity, request: Request) -> Reply | None:
        try:
            authorise(identity, request)
        except Fault as fault:
            return fault_reply(identity, fault)
        except Exception as error:
            _log.exception("%s:%s could not be authorised", identity.service, identity.operation)
            return fault_reply(identity, internal_failure(identity, error))
        return None

    def _beyond_quotas(self, identity: Identity, request: Request) -> Reply | None:
        try:
            quotas.check(identity, request)
        except Fault as fault:
            return fault_reply(identity, fault)
        except Exception:
            # moto rejects a request that cannot be parsed.
            _log.exception("%s:%s could not be held against quotas", identity.service, identity.operation)
        return None

    def _execute(self, identity: Identity, request: Request) -> Reply:
        self._unrecorded = False
        try:
            anonymous.executing(identity, request)
            extension = extension_of(identity)
            if extension is None:
                return self._ask_moto(identity, request)
            call = Call(identity, request, self._store, lambda inner: self._ask_moto(identity, inner))
            try:
                return call.reply(extension(call))
            finally:
                self._unrecorded = call.unrecorded
        except Fault as fault:
            return fault_reply(identity, fault)
        except UpstreamError as error:
            return error.reply
        except NotImplementedError as error:
            _log.warning("not implemented: %s:%s (%s)", identity.service, identity.operation, error)
            return fault_reply(identity, not_implemented(identity))
        except Exception as error:
            _log.exception("%s:%s failed", identity.service, identity.operation)
            return fault_reply(identity, internal_failure(identity, error))

    def _ask_moto(self, identity: Identity, request: Request) -> Reply:
        reply = call_wsgi(self._moto, environ_for(request))
        if _is_web_page(reply) or (reply.status == 404 and not reply.body and identity.service != "s3"):
            _log.warning("no route: %s:%s %s %s", identity.service, identity.operation, request.method, request.path)
            raise not_implemented(identity)
        return reply

    def _progress(self) -> str:
        return f"The local AWS account is starting: {self.replayed} of {self.to_replay} recorded requests replayed."


def _create_app(service: Any) -> Flask:
    """Create moto's application of a service. Exceptions propagate to the emulator instead of becoming web pages."""
    if service is None:
        raise NotImplementedError("moto has no module for the service")
    application = create_backend_app(service)
    application.config["PROPAGATE_EXCEPTIONS"] = True
    return application


def _is_web_page(reply: Reply) -> bool:
    return reply.status >= 400 and reply.body[:200].lstrip().lower().startswith((b"<!doctype html", b"<html"))
