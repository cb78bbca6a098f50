"""`aws` provider for an emulated account: the handler of the resource type answers the engine's calls."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlp_sandbox.providers.aws.compare import live_inputs, same
from mlp_sandbox.providers.aws.naming import DEFAULTS, is_automatic, with_name
from mlp_sandbox.providers.aws.resource import Aws, Clients, Handler, NotFoundError, Props
from mlp_sandbox.providers.aws.services import HANDLERS, INVOKES
from mlp_sandbox.providers.protocol import Change, Diff, Naming, PartialFailureError, Provider, ProviderError, Resource
from mlp_sandbox.providers.values import UNKNOWN, Unknown, has_unknown

CONFIG = frozenset({"region", "defaultTags", "allowedAccountIds", "version", "pluginDownloadURL"})
# pulumi-aws sets these inputs by itself; they have no effect on an emulated account.
CONFIG_IGNORED = frozenset({"skipCredentialsValidation", "skipRegionValidation", "skipMetadataApiCheck", "profile"})


class AwsProvider(Provider):
    def __init__(self) -> None:
        self.clients: Clients | None = None
        self.default_tags: dict[str, str] = {}

    def check_config(self, config: Props) -> list[tuple[str, str]]:
        unknown = sorted(config.keys() - CONFIG - CONFIG_IGNORED)
        failures = [(key, f"aws provider: the input '{key}' is not supported here") for key in unknown]
        if not config.get("region") and not os.environ.get("AWS_REGION"):
            failures.append(("region", "aws provider: give the input 'region', or set AWS_REGION"))
        return failures

    def configure(self, config: Props) -> None:
        if not os.environ.get("AWS_ENDPOINT_URL"):
            raise ProviderError(
                "AWS_ENDPOINT_URL is not set: this provider serves an emulated account only and would not touch AWS. "
                'Run `eval "$(mlp sandbox env)"`, or use the official aws plugin.'
            )
        region = config.get("region") or os.environ.get("AWS_REGION", "")
        self.clients = Clients(str(region))
        tags = _structured(config.get("defaultTags")) or {}
        self.default_tags = dict(tags.get("tags", {}))
        allowed = _structured(config.get("allowedAccountIds"))
        if allowed:
            account = self._call("configure", lambda aws: aws.account_id())
            if account not in allowed:
                raise ProviderError(f"allowedAccountIds is {', '.join(allowed)}, but the credentials are of {account}")

    def config_replaces(self, old: Props, new: Props, changed: list[str]) -> list[str]:
        # Another region means other resources: the official provider also replaces itself then.
        return [key for key in changed if key == "region"]

    def check(self, r: Resource, old: Props, new: Props, naming: Naming) -> tuple[Props, list[tuple[str, str]]]:
        handler = _handler(r)
        unknown = sorted(key for key in new.keys() - handler.fields.keys() if not key.startswith("__"))
        failures = [(key, f"{r.type}: unknown input '{key}'") for key in unknown]
        inputs = with_name(handler, r, old, new, naming)
        if handler.tagged and self.default_tags and not isinstance(inputs.get("tags"), Unknown):
            inputs = {**inputs, "tags": {**self.default_tags, **inputs.get("tags", {})}}
        return inputs, failures + handler.check(inputs)

    def diff(self, r: Resource, old_inputs: Props, old_state: Props, new: Props) -> Diff:
        handler = _handler(r)
        changes = changed_inputs(handler, old_inputs, old_state, new)
        replaces = any(change.replace for change in changes.values())
        name = handler.autoname.field if handler.autoname else None
        # A new resource cannot take a fixed name while the old one still has it.
        taken = name is not None and not is_automatic(handler, new) and old_inputs.get(name) == new.get(name)
        return Diff(changes, replaces and (handler.delete_before_replace or taken))

    def create(self, r: Resource, inputs: Props, preview: bool) -> tuple[str, Props]:
        handler = _handler(r)
        if preview:
            computed = {name: UNKNOWN for name, field in handler.fields.items() if field.computed}
            inner = {name: dict.fromkeys(field.inner, UNKNOWN) for name, field in handler.fields.items() if field.inner}
            inputs = {name: _overlaid(value, inner.get(name)) for name, value in inputs.items()}
            outputs = {**dict.fromkeys(handler.outputs, UNKNOWN), **computed}
            return "", {**outputs, **self._state(handler, inputs, {})}
        made: list[str] = []
        try:
            with self._aws(r, "create", made.append) as aws:
                id = handler.create(aws, inputs)
                made.append(id)
                live = _found(handler.read(aws, id, inputs), r, id)
        except ProviderError as error:
            if not made:
                raise
            done, live = self._finished_part(r, made[-1], inputs)
            raise PartialFailureError(made[-1], done, self._state(handler, done, live), str(error)) from error
        return id, self._state(handler, inputs, live)

    def _finished_part(self, r: Resource, id: str, inputs: Props) -> tuple[Props, Props]:
        """Return inputs and outputs of a resource whose creation failed half way.

        The next update sends the inputs that are missing here. When AWS does not answer, only the inputs that identify
        the resource count as done.
        """
        handler = _handler(r)
        try:
            with self._aws(r, "read") as aws:
                live = handler.read(aws, id, inputs) or {}
        except (ProviderError, NotFoundError):
            live = {}
        found = live_inputs(handler, inputs, live)
        fixed = {name: value for name, value in inputs.items() if name == DEFAULTS or handler.fields[name].replace}
        return {**found, **fixed}, live

    def read(self, r: Resource, id: str, inputs: Props, state: Props) -> tuple[Props, Props] | None:
        handler = _handler(r)
        with self._aws(r, "read") as aws:
            try:
                live = handler.read(aws, id, inputs)
            except NotFoundError:
                return None
        if live is None:
            return None
        found = live_inputs(handler, inputs, live)
        if DEFAULTS in inputs:
            found[DEFAULTS] = inputs[DEFAULTS]
        return found, self._state(handler, found, live)

    def update(self, r: Resource, id: str, old_inputs: Props, old_state: Props, new: Props, preview: bool) -> Props:
        handler = _handler(r)
        changed = set(changed_inputs(handler, old_inputs, old_state, new))
        if preview:
            moved = {name: UNKNOWN for name in handler.moved(new, changed)}
            blocks = {name: old_state.get(name) for name, field in handler.fields.items() if field.inner}
            inputs = {name: _overlaid(value, blocks.get(name)) for name, value in new.items()}
            return {**old_state, **moved, **self._state(handler, inputs, {})}
        # Inputs that the API does not return are not sent; their new value is kept in the state.
        sent = {name for name in changed if not handler.fields[name].write_only}
        try:
            with self._aws(r, "update") as aws:
                if sent:
                    handler.update(aws, id, {**old_state, **old_inputs}, new, sent)
                live = _found(handler.read(aws, id, new), r, id)
        except ProviderError as error:
            raise PartialFailureError(id, old_inputs, old_state, str(error)) from error
        return self._state(handler, new, live)

    def delete(self, r: Resource, id: str, state: Props) -> None:
        handler = _handler(r)
        with self._aws(r, "delete") as aws:
            try:
                handler.delete(aws, id, state)
            except NotFoundError:
                return

    def invoke(self, token: str, args: Props) -> Props:
        function = INVOKES.get(token)
        if function is None:
            raise ProviderError(f"the function {token} is not supported here; `mlp sandbox limits` lists what is")
        if has_unknown(args):
            raise ProviderError(f"{token}: the arguments are not known yet")
        return self._call(token, lambda aws: function(aws, args))

    def _state(self, handler: Handler, inputs: Props, live: Props) -> Props:
        """Return the outputs: AWS's values, in the notation of the inputs where both mean the same."""
        given = {key: value for key, value in inputs.items() if key != DEFAULTS}
        kept = {
            name: _overlaid(value, live.get(name))
            for name, value in given.items()
            if name not in live or same(handler.fields[name], value, live[name])
        }
        state = {**live, **kept}
        if handler.tagged:
            state["tagsAll"] = state.get("tags", {})
        return state

    @contextmanager
    def _aws(self, r: Resource, action: str, created: Any = lambda _id: None) -> Generator[Aws, None, None]:
        if self.clients is None:
            raise ProviderError("aws provider: its configuration depends on values that are not known yet")
        timeout = r.timeout or HANDLERS.get(r.type, Handler).timeout
        try:
            yield Aws(
                self.clients.region, created, timeout, self.clients, lambda text: self.report_progress(r.urn, text)
            )
        except ClientError as error:
            details = error.response.get("Error", {})
            text = f"{error.operation_name}: {details.get('Code')}: {details.get('Message')}"
            raise ProviderError(f"{action} {r.type} {r.name}: {text}") from error
        except NotFoundError as error:
            text = f"{error} cannot be found; `pulumi refresh` takes it out of the state"
            raise ProviderError(f"{action} {r.type} {r.name}: {text}") from error
        except (BotoCoreError, TimeoutError, ValueError, NotImplementedError) as error:
            raise ProviderError(f"{action} {r.type} {r.name}: {_plain(error)}") from error

    def _call(self, what: str, function: Any) -> Any:
        with self._aws(Resource(what, what, ""), "call") as aws:
            return function(aws)


def changed_inputs(handler: Handler, old_inputs: Props, old_state: Props, new: Props) -> dict[str, Change]:
    """Return the inputs whose requested value changed; a newly given input is compared with the live value."""
    changes: dict[str, Change] = {}
    for name, field in handler.fields.items():
        old, wanted = old_inputs.get(name, old_state.get(name)), new.get(name)
        if (wanted is None and field.computed) or same(field, wanted, old):
            continue
        kind = "add" if name not in old_inputs else "delete" if wanted is None else "update"
        changes[name] = Change(kind, field.replace)
    for name in handler.replaces({**old_state, **old_inputs}, new, set(changes)) & changes.keys():
        changes[name] = Change(changes[name].kind, replace=True)
    return changes


def _overlaid(given: Any, live: Any) -> Any:
    """Return a block as the program writes it, with AWS's own values beside it (such as a cluster's security group)."""
    if isinstance(given, dict) and isinstance(live, dict):
        return {**live, **{key: _overlaid(value, live.get(key)) for key, value in given.items()}}
    return given


def _found(live: Props | None, r: Resource, id: str) -> Props:
    if live is None:
        raise ProviderError(f"{r.type} {r.name}: {id} cannot be found; `pulumi refresh` takes it out of the state")
    return live


def _handler(r: Resource) -> Handler:
    handler = HANDLERS.get(r.type)
    if handler is None:
        raise ProviderError(
            f"the resource type {r.type} (resource {r.name}) is not supported here; `mlp sandbox limits` lists what is"
        )
    return handler


def _structured(value: Any) -> Any:
    """Parse a provider input that is no plain string, because the engine sends it as JSON text."""
    return json.loads(value) if isinstance(value, str) else value


def _plain(error: Exception) -> str:
    if "Could not connect to the endpoint" in str(error) or "Connection was closed" in str(error):
        endpoint = os.environ.get("AWS_ENDPOINT_URL")
        return f"{endpoint} does not answer. Is the sandbox up? (`mlp sandbox status`, `mlp sandbox up`)"
    return str(error)
