"""`mlp predict`: predictions of the production model in the cluster."""

from __future__ import annotations

import http.client
import json
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mlp.console import Json, PlainError, errors, plain_errors
from mlp.environments import Env
from mlp.projects.listing import no_serving
from mlp.projects.session import ProjectArgument, Session, opened
from mlp.projects.show import print_json, print_table, tell

if TYPE_CHECKING:
    from mlp.projects.port_forward import PortForward
    from mlp.projects.rows import ModelColumn

_ANSWER_SECONDS: Final = 60.0
COMMAND_LINE: Final = 2


def predict(
    project: ProjectArgument,
    data: Annotated[
        str | None,
        typer.Option("--data", "-d", help="Rows: a JSON or CSV file, - for standard input, or JSON itself."),
    ] = None,
    env: Env = "dev",
    as_json: Json = False,
) -> None:
    """Send rows to the model that answers now, and show its predictions and version.

    JSON is one row ({"age": 41}), a list of rows, or {"instances": [...]}. Without --data it lists the columns of the
    model, and ends with exit code 2.
    """
    with plain_errors(), opened(project, env) as session:
        from mlp.projects.rows import from_csv, from_json, read

        text, is_csv = read(data, sys.stdin.read) if data is not None else ("", False)
        with serving(session) as forward:
            columns = model_columns(session, forward) if data is None or is_csv else ()
            if data is None:
                _explain(project, columns, as_json=as_json)
                raise typer.Exit(COMMAND_LINE)
            missing_values = session.place.project.data.missing_values
            document = from_csv(text, columns, missing_values) if is_csv else from_json(text)
            with errors.status("Asking the model"):
                answer = ask(forward, document)
        if as_json:
            print_json(answer)
            return
        rows = ((number, _cell(value)) for number, value in enumerate(answer["predictions"], 1))
        print_table(f"{project} in {env}", ("Row", "Prediction"), rows)
        tell(f"Answered by version {answer['model']['version']}.")


def serving(session: Session, *, unready: bool = False) -> Any:
    """Forward a local port to the project's server."""
    from ml_workloads.project.deployment_names import SERVING, SERVING_PORT
    from mlp.projects.pods import forwarded

    if session.place.project.serving.online is None:
        raise no_serving(session.name)
    return forwarded(session.cluster, session.namespace, SERVING, SERVING_PORT, session.deploy, unready=unready)


def model_columns(session: Session, forward: PortForward) -> tuple[ModelColumn, ...]:
    """Return the columns of the model. Raises PlainError while the server has no model."""
    from mlp.projects.rows import columns_of

    status, body = call(forward, "GET", "/openapi.json")
    columns = columns_of(json.loads(body)) if status == http.client.OK else ()
    if columns:
        return columns
    _, said = call(forward, "GET", "/readyz")
    name, env = session.name, session.place.environment.name
    raise PlainError(
        f"the server has no model yet: {_problem(said)}; "
        f"mlp models {name} --env {env} shows what there is to promote to production"
    )


def ask(forward: PortForward, document: dict[str, Any]) -> dict[str, Any]:
    """Send a document and return the server's answer.

    Raises PlainError with the invalid field if it rejects the document.
    """
    from mlp.projects.rows import refused

    status, body = call(forward, "POST", "/predict", json.dumps(document).encode())
    if status != http.client.OK:
        raise PlainError(refused(status, body))
    return json.loads(body)


def call(forward: PortForward, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", forward.port, timeout=_ANSWER_SECONDS)
    try:
        # A server may respond before it has read the whole request; the response then contains the reason.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise PlainError(f"the server did not answer: {forward.problem or error}") from error
    finally:
        connection.close()


def _explain(project: str, columns: tuple[ModelColumn, ...], *, as_json: bool) -> None:
    if as_json:
        print_json([{"name": each.name, "type": each.type, "required": each.required} for each in columns])
        return
    rows = ((each.name, each.type, "yes" if each.required else "no") for each in columns)
    print_table(f"Columns that {project} takes", ("Column", "Type", "Required"), rows)
    tell(f"Give rows: mlp predict {project} --data rows.csv, or a JSON file, - or JSON itself")


def _problem(body: bytes) -> str:
    try:
        return str(json.loads(body)["problem"])
    except (ValueError, KeyError, TypeError):
        return "it does not say why"


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
