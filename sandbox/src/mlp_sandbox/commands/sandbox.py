"""`mlp sandbox`: commands for an emulated AWS account and its data planes on this machine."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.table import Table

from mlp.console import Json, console, errors, plain_errors, report
from mlp_sandbox import lifecycle
from mlp_sandbox.clusters.lifecycle import ClusterProcesses
from mlp_sandbox.commands import demo, images
from mlp_sandbox.commands.start import bring_up
from mlp_sandbox.emulator.propagation import Speed
from mlp_sandbox.engine.stack_files import folder, is_foreign, usable
from mlp_sandbox.engine.stacks import require_stack, stack_names
from mlp_sandbox.environment import shell_lines, shell_unset_lines
from mlp_sandbox.errors import SandboxError
from mlp_sandbox.instance import Instance, Nodes, all_instances, as_dict, find

app = typer.Typer(no_args_is_help=True, help="An AWS account and its data planes on this machine.")
app.add_typer(images.app, name="images")
app.command()(demo.demo)

Name = Annotated[str | None, typer.Option("--name", "-n", help="Which sandbox (default: MLP_SANDBOX, else 'default').")]


@app.command()
def up(
    name: Name = None,
    port: Annotated[int | None, typer.Option(help="Loopback port of the emulated AWS API (4566 at first).")] = None,
    nodes: Annotated[
        str | None, typer.Option(help="Nodes of clusters: 'real' (some run containers; the default) or 'simulated'.")
    ] = None,
    propagation: Annotated[
        str | None,
        typer.Option(
            help="When changes of IAM, Pod Identity, access entries and bucket policies take effect: 'usual' (within "
            "seconds, as on AWS; the default), 'slowest' (as late as that may be) or 'at-once'."
        ),
    ] = None,
) -> None:
    """Start the sandbox, or repair it after a crash. Its contents are kept."""
    with plain_errors():
        start = time.monotonic()
        instance = find(name, port, cast(Nodes | None, nodes), cast(Speed | None, propagation))
        before = find(name)
        if instance != before and before.exists and lifecycle.status(before).ready:
            how = f"on port {before.port} with {before.nodes} nodes and {before.propagation} propagation"
            raise SandboxError(f"sandbox {before.name!r} runs {how}; `mlp sandbox down` first")
        found = bring_up(instance)
        if not found.ready:
            raise SandboxError(f"sandbox {instance.name!r} did not become ready; see `mlp sandbox logs`")
        console.print(f"Sandbox [bold]{instance.name}[/bold] is up after {time.monotonic() - start:.0f} s.")
        flag = f" --name {instance.name}" if name else ""
        console.print(
            f'Next: eval "$(mlp sandbox env{flag})" and then pulumi, aws, kubectl, psql as usual', highlight=False
        )


@app.command()
def down(name: Name = None) -> None:
    """Stop the sandbox. The emulated account, its databases and the engine's state are kept for the next `up`."""
    with plain_errors():
        instance = find(name)
        stopped = lifecycle.down(instance)
        console.print(f"Sandbox {instance.name} {'stopped' if stopped else 'was not running'}.")


@app.command()
def status(name: Name = None, as_json: Json = False) -> None:
    """Show the parts of the sandbox, their addresses and their states. Exit code 1 when the sandbox is not ready."""
    with plain_errors():
        found = lifecycle.status(find(name))
        if as_json:
            document = {**as_dict(found.instance), "ready": found.ready, "emulator_pid": found.emulator_pid}
            document |= {"health": found.health, "databases": found.databases}
            document |= {"clusters": [asdict(cluster) for cluster in found.clusters]}
            print(json.dumps(document, indent=2, default=str))
        else:
            console.print(_status_table(found))
        others = [other.name for other in all_instances() if other.name != found.instance.name]
        if others and not as_json:
            console.print(f"Other sandboxes: {', '.join(others)}")
        if not found.ready:
            raise typer.Exit(1)


@app.command()
def env(
    name: Name = None,
    stack: Annotated[
        str | None,
        typer.Option("--stack", "-s", help="For this stack only; needed when it names a KMS key or a gateway on AWS."),
    ] = None,
    unset: Annotated[bool, typer.Option("--unset", help="Print what takes the variables away again.")] = False,
) -> None:
    """Print shell lines for `eval "$(mlp sandbox env)"`: then plain pulumi, aws, kubectl and psql use the sandbox."""
    with plain_errors():
        instance = find(name)
        if not unset and not instance.exists:
            raise SandboxError(f"sandbox {instance.name!r} does not exist yet; make it with `mlp sandbox up`")
        print(shell_unset_lines() if unset else shell_lines(instance, _config_file(instance, stack)))


@app.command()
def reset(
    name: Name = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Stop the sandbox and delete its contents: the emulated account, its databases and the engine's state."""
    with plain_errors():
        instance = find(name)
        if not yes:
            if not sys.stdin.isatty():
                raise SandboxError("reset forgets everything that the sandbox holds; say so with --yes")
            typer.confirm(f"Forget all that sandbox {instance.name!r} holds ({instance.home})?", abort=True)
        lifecycle.reset(instance, report)
        console.print(f"Sandbox {instance.name} is empty.")


@app.command()
def limits(as_json: Json = False) -> None:
    """List what the sandbox does not do, or does otherwise than AWS."""
    from mlp_sandbox.limits import all_limits

    entries = all_limits()
    if as_json:
        print(json.dumps(entries, indent=2))
        return
    table = Table("Service", "What", "Effect", title="Known limits of the sandbox", title_justify="left")
    for entry in entries:
        table.add_row(entry["service"], entry["what"], entry["effect"])
    console.print(table)


@app.command()
def logs(
    name: Name = None,
    lines: Annotated[int, typer.Option("--lines", "-l", min=1, help="How many lines of each log.")] = 40,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Print the last lines of every log of the sandbox."""
    with plain_errors():
        instance = find(name)
        files = lifecycle.log_files(instance)
        if not files:
            raise SandboxError(f"sandbox {instance.name!r} has no logs yet in {instance.logs}")
        offsets: dict[Path, int] = {}
        for path in files:
            text = path.read_text(errors="replace")
            offsets[path] = len(text.encode())
            console.rule(str(path), align="left")
            console.print("\n".join(text.splitlines()[-lines:]), highlight=False, markup=False, soft_wrap=True)
        while follow:
            _print_new_lines(offsets)
            time.sleep(0.5)


def _print_new_lines(offsets: dict[Path, int]) -> None:
    for path, offset in offsets.items():
        with path.open("rb") as stream:
            stream.seek(offset)
            added = stream.read()
        if added:
            offsets[path] = offset + len(added)
            text = added.decode(errors="replace").rstrip("\n")
            console.print(f"{path.name}: {text}", highlight=False, markup=False, soft_wrap=True)


def _config_file(instance: Instance, stack: str | None) -> Path | None:
    if stack is None:
        foreign = [name for name in stack_names() if is_foreign(folder() / f"Pulumi.{name}.yaml")]
        if foreign:
            names = ", ".join(foreign)
            errors.print(f"note: {names} names a KMS key or a gateway of an account on AWS; there use --stack <name>")
        return None
    require_stack(stack)
    return usable(instance, stack)


def _status_table(found: lifecycle.Status) -> Table:
    instance = found.instance
    table = Table("Part", "State", "Where", title=f"Sandbox {instance.name}", title_justify="left")
    state = "ready" if found.ready else "not running" if found.emulator_pid is None else _words(found.health)
    table.add_row("AWS account", state, instance.endpoint + _pid(found.emulator_pid))
    for database in found.databases:
        where = f"{database['address']}:{database['port']}" + _pid(database["pid"])
        table.add_row(f"PostgreSQL {database['identifier']}", str(database["state"]), where)
    for cluster in found.clusters:
        _add_cluster(table, cluster, simulated=instance.nodes == "simulated")
    table.add_row("Engine state", "kept" if instance.state.is_dir() else "none", str(instance.state))
    return table


def _add_cluster(table: Table, cluster: ClusterProcesses, *, simulated: bool) -> None:
    version = f", Kubernetes {cluster.version}" if cluster.version else ""
    state = cluster.state + (f": {cluster.reason}" if cluster.reason else "")
    table.add_row(f"EKS {cluster.name}", state, f"{cluster.endpoint or 'no address yet'}{version}")
    for name, node in sorted(cluster.nodes.items()):
        kind = "real: containers run" if node["real"] else "simulated: pods run nothing"
        table.add_row(f"  node {name}", str(node["state"]) + (f": {node['reason']}" if node["reason"] else ""), kind)
    for name, addon in sorted(cluster.addons.items()):
        table.add_row(f"  add-on {name}", str(addon["state"]), str(addon["reason"] or ""))
    if not cluster.real_nodes_possible:
        why = "as it was started" if simulated else "real ones need root and the packages that `mlp doctor` lists"
        table.add_row("  nodes", "simulated only", why)


def _pid(pid: int | None) -> str:
    return f" (pid {pid})" if pid is not None else ""


def _words(health: dict[str, Any]) -> str:
    return f"{health.get('status', 'not answering')} {health.get('reason', '')}".strip()
