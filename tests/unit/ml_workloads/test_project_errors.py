"""Every invalid `project.yaml` is rejected with a line that names the field, the value and the fix."""

import pytest

from ml_workloads.project import parse_project
from tests.unit.ml_workloads.examples import SOUND
from tests.unit.spoiling import DELETE, spoil
from validation.errors import SettingsError

SOURCE = "projects/churn/project.yaml"

WRONG: dict[str, tuple[str, object, str]] = {
    "version of another platform": (
        "apiVersion",
        "v1",
        "apiVersion: got \"v1\"; write 'ml-platform/v1'",
    ),
    "name with capitals": ("name", "Churn", 'name: got "Churn"; write up to 30 lower-case letters and digits'),
    "name that is too long": ("name", "c" * 31, "write up to 30 lower-case letters and digits, in words joined by -"),
    "team with a space": ("team", "growth team", 'team: got "growth team"; write up to 20 lower-case letters'),
    "owner that cannot be written to": ("owner", "Jane", 'owner: got "Jane"; write an e-mail address'),
    "nobody to ask": ("owner", DELETE, "owner: got nothing; add this setting, it has no default"),
    "no description": ("description", "", 'description: got ""; write some text'),
    "secret whose name is taken for part of an ARN": (
        "secrets",
        ["lake-reader"],
        'secrets[0]: got "lake-reader"; do not end in a dash and six characters',
    ),
    "environment of another name": (
        "environments",
        ["production"],
        "environments[0]: got \"production\"; write one of 'dev', 'staging' or 'prod'",
    ),
    "no environment": ("environments", [], "environments: got []; list at least 1"),
    "environment twice": ("environments", ["dev", "dev"], "remove the repetition of dev"),
    "number of cores without quotes": ("quota.cpu", 8, "quota.cpu: got 8; write text"),
    "no cores": ("training.resources.cpu", "0", 'got "0"; write cores, such as "2" or "0.5"'),
    "memory in megabytes": ("training.resources.memory", "512MB", 'got "512MB"; write "512Mi"'),
    "memory in thousandths of bytes": ("training.resources.memory", "512m", 'got "512m"; write "512Mi"'),
    "memory without unit": ("quota.memory", "1073741824", 'write Mi, Gi or Ti, such as "512Mi"'),
    "misspelt field": ("training.entry_point", "a:b", "unknown key, did you mean 'entrypoint'?"),
    "unknown section": ("zebra", {}, "zebra: got {}; unknown key, known here: apiVersion, data"),
    "script instead of a function": (
        "training.entrypoint",
        "train.py",
        'training.entrypoint: got "train.py"; write module:name of a Python object',
    ),
    "accelerator that there is none of": (
        "training.accelerator.type",
        "nvidia-l5",
        'training.accelerator.type: got "nvidia-l5"; write one of aws-inferentia2',
    ),
    "schedule with four fields": ("training.schedule", "0 3 * *", 'got "0 3 * *"; write five fields'),
    "schedule that never comes": (
        "training.schedule",
        "0 3 31 2 *",
        "this one never comes, leave the schedule out",
    ),
    "hour that no day has": ("training.schedule", "0 25 * * *", "hour '25' is outside 0 to 23"),
    "schedule that Kubernetes cannot read": ("training.schedule", "0 3 L * *", "day 'L' cannot be read, use 1 to 31"),
    "Sunday by another number": ("training.schedule", "0 3 * * 7", "weekday '7' is outside 0 to 6, Sunday is 0"),
    "no time to train": ("training.deadline_minutes", 0, "training.deadline_minutes: got 0; write 1 or more"),
    "nothing held out": ("training.holdout", 0, "training.holdout: got 0; write 0.05 or more"),
    "nothing to predict": ("data.target", DELETE, "data.target: got nothing; add this setting"),
    "gate on nothing that is measured": ("training.gate.metric", "f2", "write one of 'accuracy'"),
    "gate without a bound": (
        "training.gate.minimum",
        DELETE,
        "gate.minimum: got null; add it, the gate looks",
    ),
    "bound in percent": ("training.gate.minimum", 80.0, "write more than 0 and at most 1, f1 is a share"),
    "r2 above the best there is": ("training.gate", {"metric": "r2", "minimum": 1.5}, "write at most 1, r2 is never"),
    "r2 bounded from above": ("training.gate", {"metric": "r2", "maximum": 1.0}, "write minimum instead"),
    "bound of another kind of metric": (
        "training.gate.metric",
        "rmse",
        "write maximum instead, the gate",
    ),
    "data from elsewhere": (
        "data.source.type",
        "gcs",
        "source.type: got \"gcs\"; write one of 's3', 'sql', 'local'",
    ),
    "data from nobody knows where": ("data.source.type", DELETE, "data.source.type: got nothing; write one of 's3'"),
    "field of another source": ("data.source.path", "a.csv", 'data.source.path: got "a.csv"; unknown key, known here'),
    "data of somebody else": (
        "data.source",
        {"type": "s3", "path": "../other/raw/"},
        'data.source.path: got "../other/raw/"; write a path without leading / or ..',
    ),
    **{
        f"object {path} that no training reads": (
            "data.source",
            {"type": "s3", "path": path},
            f'data.source.path: got "{path}"; write an object that ends with .csv, .csv.gz, .csv.bz2, .csv.xz, '
            ".csv.zst or .parquet, or a prefix that ends with /",
        )
        for path in ("churn", "churn.xlsx", "2024/churn.gz", "churn.csv.zip", ".csv", "churncsv")
    },
    **{
        f"file {path} that no training reads": (
            "data.source",
            {"type": "local", "path": path},
            f'data.source.path: got "{path}"; write a file that ends with .csv, ',
        )
        for path in ("data/", "churn", "churn.xlsx")
    },
    "query that changes data": ("data.source.query", "DELETE FROM customers", "write one SELECT statement"),
    "two statements": ("data.source.query", "SELECT 1; DROP TABLE customers", "write one statement only"),
    "secret that is not the project's": (
        "data.source.secret",
        "lake",
        'data.source.secret: got "lake"; list lake in secrets too, or name one of them',
    ),
    "fewer replicas at the most than always": (
        "serving.online.autoscaling.max_replicas",
        1,
        "serving.online.autoscaling.max_replicas: got 1; write at least replicas, which is 2",
    ),
    "quota that a rollout exceeds": (
        "quota.cpu",
        "5",
        'quota.cpu: got "5"; write "5.75" or more, a training run and 7 replicas (one more during a rollout) need it',
    ),
    "memory that a rollout exceeds": ("quota.memory", "8Gi", 'quota.memory: got "8Gi"; write "15360Mi" or more'),
    "EFA beyond the quota": ("training.efa", 4, "quota.efa: got 0; write 4 or more, training needs them"),
    "devices beyond the quota": ("quota.accelerators", 0, "quota.accelerators: got 0; write 1 or more"),
}


@pytest.mark.parametrize(("field", "value", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named_with_its_fix(field: str, value: object, said: str):
    with pytest.raises(SettingsError) as refused:
        parse_project(spoil(SOUND, (field, value)), SOURCE)
    assert said in str(refused.value)
    assert str(refused.value).startswith(f"{SOURCE}: 1 wrong setting\n")


def test_all_that_is_wrong_is_said_at_once():
    with pytest.raises(SettingsError, match="3 wrong settings") as refused:
        parse_project(spoil(SOUND, ("owner", "Jane"), ("quota.cpu", "many"), ("data.source.type", "gcs")), SOURCE)
    assert [line.partition(":")[0].strip() for line in str(refused.value).splitlines()[1:]] == [
        "owner",
        "quota.cpu",
        "data.source.type",
    ]


def test_the_quota_has_room_for_the_worker_that_runs_before_a_training_which_asks_for_less():
    small = ("training.resources.cpu", "100m")
    assert parse_project(spoil(SOUND, small, ("quota.cpu", "4")), SOURCE).quota.cpu == "4"
    with pytest.raises(SettingsError, match=r'quota\.cpu: got "3\.9"; write "4" or more, a training run and'):
        parse_project(spoil(SOUND, small, ("quota.cpu", "3.9")), SOURCE)
