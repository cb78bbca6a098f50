"""Types that a project may allow in its model."""

import pytest

from ml_workloads.project import parse_project
from ml_workloads.project.trust import trusted_type
from tests.unit.ml_workloads.examples import SOUND
from tests.unit.spoiling import spoil
from validation.errors import SettingsError


@pytest.mark.parametrize(
    "name",
    [
        "churn.features.Ratio",
        "churn.features.Outer.Inner",
        "lightgbm.sklearn.LGBMClassifier",
        "collections.OrderedDict",
    ],
)
def test_types_that_hold_values_may_be_trusted(name: str):
    project = parse_project(spoil(SOUND, ("training.trusted_types", [name])), "here")
    assert project.training.trusted_types == (name,)


@pytest.mark.parametrize(
    "name",
    [
        *("builtins.eval", "os.system", "posix.system", "nt.system", "subprocess.Popen", "sys.exit", "operator.call"),
        *("functools.partial", "importlib.import_module", "ctypes.CDLL", "pickle.Unpickler", "shutil.rmtree"),
        *("_posixsubprocess.fork_exec", "joblib.load", "cloudpickle.loads", "mlflow.pyfunc.PyFuncModel"),
        *("pandas.read_pickle", "numpy.load", "pandas.eval", "scipy.io.loadmat", "__main__.Ratio"),
    ],
)
def test_types_that_run_code_are_refused(name: str):
    with pytest.raises(ValueError, match="could run any code where it is loaded"):
        trusted_type(name)


@pytest.mark.parametrize("name", ["churn.tools.exec_all", "polars.read_csv", "torch.load"])
def test_functions_that_read_files_are_refused(name: str):
    with pytest.raises(ValueError, match="read files or run code"):
        trusted_type(name)


@pytest.mark.parametrize(
    "name", ["", "Ratio", "churn.features:Ratio", "churn.features.", "churn..Ratio", "churn.features.Ratio()", "a b.C"]
)
def test_what_is_no_dotted_name_is_refused(name: str):
    with pytest.raises(ValueError, match=r"write module\.Class"):
        trusted_type(name)


def test_the_refusal_names_the_setting():
    with pytest.raises(SettingsError, match=r'training\.trusted_types\[1\]: got "os\.system"; remove it'):
        parse_project(spoil(SOUND, ("training.trusted_types", ["churn.features.Ratio", "os.system"])), "here")
