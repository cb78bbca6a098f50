"""No variable of the user's shell redirects a sandbox command, and `--unset` restores all of them."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mlp_sandbox.environment import CONFIG_FILE, process_environment, shell_lines, shell_unset_lines, variables
from mlp_sandbox.foreign_variables import SAVED, leads_elsewhere
from mlp_sandbox.instance import Instance

_PLANTED = {
    "AWS_ENDPOINT_URL_S3": "https://elsewhere.example",
    "AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME": "https://elsewhere.example",
    "AWS_PROFILE": "work",
    "AWS_DEFAULT_PROFILE": "work",
    "AWS_CONFIG_FILE": "/home/me/.aws/config",
    "AWS_SHARED_CREDENTIALS_FILE": "/home/me/.aws/credentials",
    "AWS_SESSION_TOKEN": "token",
    "AWS_SECURITY_TOKEN": "token",
    "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/ci",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "token",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_S3_USE_ARN_REGION": "true",
    "AWS_A_SETTING_OF_NEXT_YEAR": "1",
    "MLFLOW_TRACKING_URI": "https://elsewhere.example",
    "MLFLOW_REGISTRY_URI": "https://elsewhere.example",
    "MLFLOW_TRACKING_TOKEN": "token",
    "MLFLOW_S3_ENDPOINT_URL": "https://elsewhere.example",
    "KUBECONFIG": "/home/me/.kube/config",
    "KUBERNETES_SERVICE_HOST": "10.0.0.1",
    "KUBERNETES_MASTER": "https://elsewhere.example",
    "HELM_KUBECONTEXT": "production",
    "PULUMI_BACKEND_URL": "s3://state-of-production",
    "PULUMI_ACCESS_TOKEN": "token",
    "PULUMI_CONFIG_PASSPHRASE_FILE": "/home/me/passphrase",
    "PULUMI_STACK": "prod",
    "PULUMI_OPTION_STACK": "prod",
    "PULUMI_CONFIG": '{"ml:x": "y"}',
    "PULUMI_K8S_DELETE_UNREACHABLE": "true",
    "PGHOST": "elsewhere.example",
    "PGPASSWORD": 'it\'s "secret" $HOME `id`\nand more',
    "PGSERVICEFILE": "/home/me/.pg_service.conf",
    "PGSSLMODE": "disable",
}
_HARMLESS = {"AWS_CA_BUNDLE": "/etc/ca.pem", "AWS_PAGER": "", "PGDATA": "/data", "HTTPS_PROXY": "http://proxy:3128"}
_LISTS = ("PATH", "NO_PROXY", "no_proxy")


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    return Instance("mine", 4999, tmp_path / "it's a home" / "mine")


@pytest.fixture(params=[each for each in ("sh", "dash", "bash", "zsh") if shutil.which(each)])
def shell(request: pytest.FixtureRequest) -> str:
    """Return one of the machine's shells per parameter; `sh` exists everywhere."""
    return str(shutil.which(str(request.param)))


def _after(shell: str, lines: str, environment: dict[str, str]) -> dict[str, str]:
    """Return the environment of the shell's commands after it has evaluated the lines."""
    show = "import json, os; print(json.dumps(dict(os.environ)))"
    script = f'set -eu\neval "$LINES_TO_EVALUATE"\nunset LINES_TO_EVALUATE\n"{sys.executable}" -c "$SHOW"'
    whole = {**environment, "LINES_TO_EVALUATE": lines, "SHOW": show}
    done = subprocess.run([shell, "-c", script], env=whole, capture_output=True, text=True, check=True)
    seen: dict[str, str] = json.loads(done.stdout)
    return {
        name: value for name, value in seen.items() if name not in ("SHOW", "PWD", "SHLVL", "_", "OLDPWD", "LC_CTYPE")
    }


def _planted() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": "/home/me", "NO_PROXY": "intranet", **_PLANTED, **_HARMLESS}


def test_a_shell_that_has_the_sandbox_has_nothing_that_leads_elsewhere(shell: str, instance: Instance):
    before = _planted()
    after = _after(shell, shell_lines(instance, base=before), before)
    ours = variables(instance, before)
    assert {name: after[name] for name in ours} == ours
    assert sorted(name for name in after if leads_elsewhere(name)) == sorted(filter(leads_elsewhere, ours))
    assert {name: after[name] for name in _HARMLESS} == _HARMLESS


def test_unset_gives_back_what_was_there_to_the_letter(shell: str, instance: Instance):
    before = _planted()
    inside = _after(shell, shell_lines(instance, base=before), before)
    assert _after(shell, shell_unset_lines(inside), inside) == _after(shell, ":", before)


def test_a_second_sandbox_in_the_same_shell_forgets_nothing_of_before(shell: str, instance: Instance, tmp_path: Path):
    before = _planted()
    once = _after(shell, shell_lines(instance, base=before), before)
    other = Instance("other", 5001, tmp_path / "other")
    twice = _after(shell, shell_lines(other, tmp_path / "stack.yaml", base=once), once)
    assert (twice["MLP_SANDBOX"], twice[CONFIG_FILE]) == ("other", str(tmp_path / "stack.yaml"))
    thrice = _after(shell, shell_lines(instance, base=twice), twice)
    assert CONFIG_FILE not in thrice
    assert _after(shell, shell_unset_lines(thrice), thrice)["AWS_PROFILE"] == "work"
    assert CONFIG_FILE not in _after(shell, shell_unset_lines(twice), twice)


def test_what_was_set_after_the_first_time_is_taken_away_and_given_back_too(shell: str, instance: Instance):
    before = {"PATH": os.environ["PATH"], "AWS_REGION": "eu-central-1"}
    inside = _after(shell, shell_lines(instance, base=before), before)
    inside |= {"AWS_ENDPOINT_URL_STS": "https://elsewhere.example", "PATH": f"/opt/more:{inside['PATH']}"}
    again = _after(shell, shell_lines(instance, base=inside), inside)
    assert "AWS_ENDPOINT_URL_STS" not in again
    outside = _after(shell, shell_unset_lines(again), again)
    assert outside["AWS_ENDPOINT_URL_STS"] == "https://elsewhere.example"
    assert outside["AWS_REGION"] == "eu-central-1"
    assert "/opt/more" in outside["PATH"].split(":")
    assert str(instance.bin) not in outside["PATH"].split(":")
    assert not {"NO_PROXY", "no_proxy", "MLP_SANDBOX", SAVED, "AWS_ENDPOINT_URL"} & set(outside)


def test_unset_without_anything_saved_takes_the_sandbox_s_own_away(shell: str, instance: Instance):
    plain = {"PATH": os.environ["PATH"], **{k: v for k, v in variables(instance).items() if k not in _LISTS}}
    after = _after(shell, shell_unset_lines(plain), plain)
    assert [name for name in after if leads_elsewhere(name) or name == "MLP_SANDBOX"] == []


@pytest.mark.parametrize("kept", ["", "{", "[1]", "null"])
def test_a_damaged_memory_is_taken_for_none(kept: str, instance: Instance):
    assert shell_unset_lines({SAVED: kept}).startswith("unset ")
    assert "export MLP_SANDBOX=mine" in shell_lines(instance, base={SAVED: kept, "PATH": "/bin"})


def test_processes_get_what_the_shell_would_and_no_memory_of_it(instance: Instance):
    before = {**_planted(), "AWS_ENDPOINT_URL_WEIRD-NAME": "https://elsewhere.example", SAVED: '{"PGPASSWORD": "x"}'}
    inside = process_environment(instance, before)
    assert {name for name in inside if leads_elsewhere(name)} == set(filter(leads_elsewhere, variables(instance)))
    assert SAVED not in inside
    assert inside["HOME"] == "/home/me"


def test_the_stack_file_that_the_shell_chose_reaches_processes_but_not_one_from_elsewhere(instance: Instance):
    chosen = {"PATH": "/bin", CONFIG_FILE: "/stack.yaml"}
    assert CONFIG_FILE not in process_environment(instance, chosen)
    assert process_environment(instance, {**chosen, SAVED: "{}"})[CONFIG_FILE] == "/stack.yaml"


def test_loopback_and_clusters_are_never_asked_through_a_proxy(instance: Instance):
    found = variables(instance, {"NO_PROXY": "a,b", "no_proxy": "b,c"})
    assert found["no_proxy"] == found["NO_PROXY"] == "a,b,c,127.0.0.1,localhost,198.18.0.0/15"
    assert variables(instance, found)["NO_PROXY"] == found["NO_PROXY"]
