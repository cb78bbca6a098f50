"""Steps of trying a project's code: import, sample, contract, training, example."""

from __future__ import annotations

import json
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pandas as pd
from pydantic import ValidationError

from ml_workloads.runtime.contract import ContractError, check, check_contract
from ml_workloads.runtime.data import LocalFile, ReadOptions, load
from ml_workloads.runtime.data.text_columns import text_columns
from ml_workloads.runtime.errors import PlatformError, ProjectError
from ml_workloads.runtime.gate import Gate
from ml_workloads.runtime.objects import ObjectError, load_object
from ml_workloads.runtime.sample import BrokenCheckError, SampleError, generate, named_columns, schema_of
from ml_workloads.runtime.serving.columns import INPUTS, columns_of, describe, instances, request_model
from ml_workloads.runtime.training import inside
from ml_workloads.runtime.training.plan import Plan
from ml_workloads.runtime.training.preflight import try_training
from ml_workloads.runtime.training.split import inputs_of

if TYPE_CHECKING:
    import pandera.pandas as pa

    from ml_workloads.runtime.sample_check import Report, Request

CONTRACT, ENTRYPOINT, TARGET = "data.contract", "training.entrypoint", "data.target"
SAMPLE, TRAINING, EXAMPLE = "sample", "training", "example.json"
# Packages that call services. Their exceptions say nothing about the project's code.
_CLIENTS: Final = ("botocore", "boto3", "requests", "urllib3", "httpx", "http", "sqlalchemy", "psycopg", "s3transfer")
_MADE_UP: Final = "; the rows were made up from the contract: narrow it if real rows differ, or give some with --sample"


def attempt(request: Request, report: Report) -> None:
    """Try all parts of a project, and report problems of each part that does not depend on another part's mistake."""
    objects = {
        what: _load(request, report, what, reference)
        for what, reference in ((CONTRACT, request.contract), (ENTRYPOINT, request.entrypoint))
    }
    contract, train = objects[CONTRACT], objects[ENTRYPOINT]
    schema = _schema(request, report, contract) if contract is not None else None
    if schema is None:
        return
    frame, made_up = _sample(request, report, schema)
    inputs = None
    if frame is not None:
        checked = _checked(request, report, frame, contract)
        if checked is not None and request.target in checked:
            inputs = inputs_of(checked, request.target)
            if train is not None:
                _train(request, report, _plan(request, contract, train), checked, made_up=made_up)
    _example(request, report, schema, inputs)


def _load(request: Request, report: Report, what: str, reference: str) -> Any:
    report.stage(what)
    module, _, name = reference.partition(":")
    try:
        with inside.guarded():
            found = load_object(reference)
    except ObjectError as error:
        cause = error.__context__
        if isinstance(cause, ModuleNotFoundError) and not f"{module}.".startswith(f"{cause.name}."):
            _missing(request, report, what, cause)
        elif isinstance(cause, SyntaxError):
            _raised(request, report, what, f"importing {module}", cause)
        else:
            report.add(what, "problem", _absent(request, module, name, error))
    except BaseException as error:
        _raised(request, report, what, f"importing {module}", error)
    else:
        report.add(what, "ok", f"{reference} is imported")
        return found
    return None


def _absent(request: Request, module: str, name: str, error: ObjectError) -> str:
    """Return the message for a missing module or name, with the file to write."""
    file = Path(request.folder, *module.split("."))
    if isinstance(error.__context__, ModuleNotFoundError):
        place = f"{_relative(request, str(file))}.py"
        return f"there is no module {module} in the project; write {place}, or name another module in project.yaml"
    place = file / "__init__.py" if file.is_dir() else file.with_suffix(".py")
    return f"{error}; define {name} in {_relative(request, str(place))}, or name another object in project.yaml"


def _missing(request: Request, report: Report, what: str, error: ModuleNotFoundError) -> None:
    name, where = error.name or str(error), _place(request, error)
    top = name.partition(".")[0]
    own = Path(request.folder, top)
    if own.exists() or own.with_suffix(".py").exists():
        report.add(what, "problem", f"{where}: there is no module {name} in the project; write it, or mend the import")
    elif request.image_installs_more:
        said = f"{where}: the package {top} is not installed here, and the image may have it; install it into .venv"
        report.add(what, "note", f"{said} (pip install), or run the project's tests in its image")
    else:
        said = f"{where}: the package {top} is neither installed here nor by the Dockerfile; add a RUN pip install"
        report.add(what, "problem", f"{said} of it there, and install it into .venv to check more")


def _schema(request: Request, report: Report, contract: Any) -> pa.DataFrameSchema | None:
    report.stage(CONTRACT)
    try:
        check_contract(contract)
        schema = schema_of(contract)
        columns = named_columns(schema)
    except ContractError as error:
        report.add(CONTRACT, "problem", str(error))
        return None
    except SampleError as error:
        report.add(SAMPLE, "note", str(error))
        return schema_of(contract)
    except Exception as error:
        _raised(request, report, CONTRACT, "reading the contract", error)
        return None
    if request.target not in columns:
        said = f"the contract has no column {request.target!r}, which data.target names; it has {_some(list(columns))}"
        report.add(TARGET, "problem", f"{said}; name one of them, or add a Column for the target")
        return None
    if len(columns) < 2:
        report.add(CONTRACT, "problem", "the contract has no column beside the target; add those that the model takes")
        return None
    return schema


def _some(names: list[str]) -> str:
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _sample(request: Request, report: Report, schema: pa.DataFrameSchema) -> tuple[pd.DataFrame | None, bool]:
    """Return rows, and whether they were generated."""
    report.stage(SAMPLE)
    if request.sample is not None:
        try:
            options = ReadOptions(missing_values=request.missing_values, text_columns=text_columns(schema))
            data = load(LocalFile(path=Path(request.sample)), options)
        except ProjectError as error:
            report.add(SAMPLE, "problem", str(error))
            return None, False
        report.add(SAMPLE, "ok", f"{len(data.frame)} rows of {_relative(request, request.sample)}")
        return data.frame, False
    try:
        frame = generate(schema, request.target, classes=not _gate(request).of_numbers)
    except BrokenCheckError as error:
        report.add(CONTRACT, "problem", str(error))
        return None, True
    except SampleError as error:
        report.add(SAMPLE, "note", f"training was not tried: {error}")
        return None, True
    except Exception as error:
        said = f"training was not tried: no rows could be made up ({type(error).__name__}: {_first_line(error)})"
        report.add(SAMPLE, "note", f"{said}; give real rows with --sample FILE")
        return None, True
    report.add(SAMPLE, "ok", f"{len(frame)} rows, made up from the contract")
    return frame, True


def _checked(request: Request, report: Report, frame: pd.DataFrame, contract: Any) -> pd.DataFrame | None:
    report.stage(CONTRACT)
    try:
        checked = check(frame, contract, request.target)
    except ProjectError as error:
        report.add(CONTRACT, "problem", str(error))
    except BaseException as error:
        _raised(request, report, CONTRACT, "checking rows against the contract", error)
    else:
        return checked
    return None


def _plan(request: Request, contract: Any, train: Any) -> Plan:
    return Plan(
        contract=contract,
        target=request.target,
        holdout=request.holdout,
        train=train,
        gate=_gate(request),
        trusted_types=request.trusted_types,
    )


def _gate(request: Request) -> Gate:
    metric: Any = request.metric
    return Gate(metric=metric, bound=request.bound, max_regression=request.max_regression)


def _train(request: Request, report: Report, plan: Plan, checked: pd.DataFrame, *, made_up: bool) -> None:
    report.stage(TRAINING)
    hint = _MADE_UP if made_up else ""
    try:
        try_training(plan, checked)
    except ProjectError as error:
        report.add(TRAINING, "problem", f"{error}{hint}")
    except PlatformError as error:
        report.add(TRAINING, "note", f"it asks a service of the platform, which is not tried here: {error}")
    except BaseException as error:
        _raised(request, report, TRAINING, f"training on {min(len(checked), 100)} rows", error, hint)
    else:
        report.add(TRAINING, "ok", "a model was trained, saved, loaded and asked; how good it is was not looked at")


def _example(request: Request, report: Report, schema: pa.DataFrameSchema, inputs: pd.DataFrame | None) -> None:
    """Check the example against the columns that the server will accept."""
    report.stage(EXAMPLE)
    columns = None
    if inputs is not None:
        try:
            columns = columns_of(None, {INPUTS: describe(inputs)})
            report.row(instances(inputs.head(1), columns)[0])
        except ProjectError:
            columns = None  # the training step has reported this already
    if request.example is None:
        return
    try:
        document: dict[str, Any] | list[Any] | str | float | None = json.loads(
            Path(request.example).read_text(encoding="utf-8")
        )
        given: Any = document["instances"] if isinstance(document, dict) and "instances" in document else document
        rows = cast("list[Any]", given if isinstance(given, list) else [given])
    except (OSError, ValueError) as error:
        report.add(EXAMPLE, "problem", f"it is not JSON: {error}")
        return
    if not rows or not all(isinstance(row, dict) for row in rows):
        report.add(EXAMPLE, "problem", 'write {"instances": [{column: value, ...}]}')
        return
    problems = _keys(set(named_columns(schema)) - {request.target}, schema, rows[0])
    if not problems and columns is not None:
        try:
            request_model(columns).model_validate({"instances": rows})
        except ValidationError as error:
            problems = [_refused(each) for each in error.errors()[:5]]
    if problems:
        report.add(EXAMPLE, "problem", "; ".join(problems))
    else:
        report.add(EXAMPLE, "ok", "its columns are those that the model takes")


def _keys(expected: set[str], schema: pa.DataFrameSchema, row: dict[str, Any]) -> list[str]:
    needed = {name for name in expected if name not in schema.columns or not schema.columns[name].nullable}
    missing, further = sorted(needed - row.keys()), sorted(row.keys() - expected)
    loose = any(column.regex for column in schema.columns.values()) or not schema.strict
    problems = [f"it lacks {_some(missing)}; add what the contract has"] if missing else []
    if further and not (loose and not missing):
        problems.append(f"it has {_some(further)}, which the contract does not have as an input; take it out")
    return problems


def _refused(error: Any) -> str:
    _, row, *column = (*error["loc"], None, None)[:3]
    said = "is not a column of the model" if error["type"] == "extra_forbidden" else str(error["msg"])
    return f"row {int(row) + 1 if isinstance(row, int) else row}, column {column[0]}: {said}"


def _raised(request: Request, report: Report, what: str, doing: str, error: BaseException, hint: str = "") -> None:
    """Report an exception of the project's code, with the line of the project that it came from."""
    where, told = _place(request, error), f"{type(error).__name__}: {_first_line(error)}".rstrip(": ")
    origin = type(error).__module__.partition(".")[0]
    if origin in _CLIENTS or isinstance(error, ConnectionError | TimeoutError):
        report.add(what, "note", f"{doing} asks a service, which is not tried here: {told} at {where}")
    elif isinstance(error, SystemExit | KeyboardInterrupt):
        report.add(what, "problem", f"{doing} ends the process ({told}) at {where}; return or raise instead")
    else:
        report.add(what, "problem", f"{doing} raises {told} at {where}{hint}")


def _first_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= 300 else f"{text[:300]}..."


def _place(request: Request, error: BaseException) -> str:
    """Return file and line of the last call that the project's code made."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_relative(request, error.filename)}:{error.lineno}"
    own = [each for each in traceback.extract_tb(error.__traceback__) if each.filename.startswith(request.folder)]
    return f"{_relative(request, own[-1].filename)}:{own[-1].lineno}" if own else "a line outside the project"


def _relative(request: Request, path: str) -> str:
    try:
        return str(Path(path).relative_to(request.root))
    except ValueError:
        return path
