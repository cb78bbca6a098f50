"""`pulumi-resource-bare`: accepts every input, calls nothing, stores nothing. It runs on the same server as `aws`."""

from mlp_sandbox.providers.protocol import Change, Diff, Naming, Provider, ProviderError, Resource, serve
from mlp_sandbox.providers.values import Props
from tests.environments.bench.programs import BARE_VERSION


class BareProvider(Provider):
    def configure(self, config: Props) -> None:
        pass

    def check_config(self, config: Props) -> list[tuple[str, str]]:
        return []

    def check(self, r: Resource, old: Props, new: Props, naming: Naming) -> tuple[Props, list[tuple[str, str]]]:
        return new, []

    def diff(self, r: Resource, old_inputs: Props, old_state: Props, new: Props) -> Diff:
        changed = [key for key in old_inputs.keys() | new.keys() if old_inputs.get(key) != new.get(key)]
        return Diff({key: Change("update") for key in changed})

    def create(self, r: Resource, inputs: Props, preview: bool) -> tuple[str, Props]:
        return ("" if preview else r.name), inputs

    def read(self, r: Resource, id: str, inputs: Props, state: Props) -> tuple[Props, Props] | None:
        return inputs, state

    def update(self, r: Resource, id: str, old_inputs: Props, old_state: Props, new: Props, preview: bool) -> Props:
        return new

    def delete(self, r: Resource, id: str, state: Props) -> None:
        pass

    def invoke(self, token: str, args: Props) -> Props:
        raise ProviderError(f"the bare provider has no functions, asked for {token}")


serve(BareProvider(), BARE_VERSION)
