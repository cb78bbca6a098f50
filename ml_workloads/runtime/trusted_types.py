"""List of the types that a saved scikit-learn model may hold, in addition to those that skops trusts itself.

Loading a skops file creates objects of the types that it names and calls none of the functions that it names. A type is
listed here if neither creating it from any state nor calling it with any arguments runs other code, reads or writes a
file, or opens a connection. skops leaves some of them out because wrong numbers in their arrays can crash the process;
a model is loaded only where its project's own code may run anyway.
https://skops.readthedocs.io/en/stable/persistence.html
"""

from __future__ import annotations

import io
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import scipy.stats
import skops.io as skops
from scipy.stats import rv_discrete

from ml_workloads.runtime.errors import ProjectError
from ml_workloads.runtime.trust import why_not

_DISTANCES: Final = (
    "Euclidean SEuclidean Manhattan Chebyshev Minkowski Mahalanobis Hamming Canberra BrayCurtis Jaccard Matching Dice "
    "Kulsinski RogersTanimoto RussellRao SokalMichener SokalSneath Haversine"
)
# Names by module. The comment of each family gives the reason why its members are harmless.
REVIEWED: Final[Mapping[str, str]] = {
    # Python's values: numbers, times and containers.
    "builtins": "object complex frozenset range bytes dict",
    "collections": "OrderedDict defaultdict Counter deque",
    "datetime": "date datetime time timedelta timezone",
    "decimal": "Decimal",
    "fractions": "Fraction",
    # A partial is as harmless as the function in it, which has to be listed as well.
    "functools": "partial",
    # NumPy's types: descriptions of arrays and of random numbers.
    "numpy": (
        "dtype generic number integer signedinteger unsignedinteger inexact floating complexfloating flexible "
        "character datetime64 timedelta64 "
        # NumPy's functions of arrays: each only calculates. Functions that read, write or call back are left out.
        "abs all amax amin any append around argmax argmin argsort array asarray atleast_1d atleast_2d broadcast_to "
        "ceil clip column_stack concatenate convolve copy corrcoef count_nonzero cov cross cumprod cumsum diff "
        "digitize dot dstack einsum empty_like expand_dims fabs fix flip full_like gradient histogram hstack "
        "i0 imag inner interp isclose isin kron linspace logspace max mean median min moveaxis nan_to_num nanargmax "
        "nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd "
        "nansum nanvar ndim ones_like outer pad percentile prod ptp quantile ravel real real_if_close repeat reshape "
        "resize roll rot90 round searchsorted shape sinc size sort split squeeze stack std sum swapaxes take tensordot "
        "tile trace transpose trapezoid tri tril triu unique unwrap vander var vstack where zeros_like"
    ),
    "numpy.linalg": "norm",
    "numpy.random.mtrand": "RandomState",
    "numpy.random._generator": "Generator",
    # Descriptions of the columns of a table.
    "pandas": "CategoricalDtype DatetimeTZDtype",
    "pandas.core.dtypes.dtypes": "CategoricalDtype DatetimeTZDtype",
    # SciPy's sparse matrices, splines and trees: arrays and calculations with them.
    "scipy.sparse._csr": "csr_matrix csr_array",
    "scipy.sparse._csc": "csc_matrix csc_array",
    "scipy.interpolate._bsplines": "BSpline",
    "scipy.interpolate._interpolate": "interp1d",
    "scipy._lib.array_api_compat.numpy._aliases": "asarray",
    "scipy.special._logsumexp": "logsumexp softmax log_softmax",
    "scipy.stats._distn_infrastructure": "rv_continuous_frozen rv_discrete_frozen",
    # Trees, neighbours and clusters: arrays of nodes, and distances between points. PyFuncDistance, which calls any
    # function, is left out.
    "sklearn.tree._tree": "Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor": "TreePredictor",
    "sklearn.cluster._bisect_k_means": "_BisectingTree",
    "sklearn.cluster._kmeans": "_kmeans_single_lloyd _kmeans_single_elkan",
    "sklearn.neighbors._kd_tree": "KDTree KDTree64 KDTree32",
    "sklearn.neighbors._ball_tree": "BallTree BallTree64 BallTree32",
    "sklearn.metrics._dist_metrics": " ".join(
        f"{name}Distance{bits}" for name in _DISTANCES.split() for bits in ["64", "32"]
    ),
    # Losses and links: formulas with their parameters.
    "sklearn._loss.loss": (
        "AbsoluteError ExponentialLoss HalfBinomialLoss HalfGammaLoss HalfMultinomialLoss HalfPoissonLoss "
        "HalfSquaredError HalfTweedieLoss HalfTweedieLossIdentity HuberLoss PinballLoss HalfBinomialLossArrayAPI "
        "HalfMultinomialLossArrayAPI HalfPoissonLossArrayAPI"
    ),
    "sklearn._loss.link": "HalfLogitLink IdentityLink Interval LogLink LogitLink MultinomialLogit",
    "sklearn.linear_model._sgd_fast": (
        "EpsilonInsensitive Hinge ModifiedHuber SquaredEpsilonInsensitive SquaredHinge Regression Classification"
    ),
    "sklearn.neural_network._stochastic_optimizers": "AdamOptimizer SGDOptimizer",
    # Components of estimators: each holds estimators and numbers.
    "sklearn.calibration": "_CalibratedClassifier _SigmoidCalibration _TemperatureScaling",
    "sklearn.compose._column_transformer": "make_column_selector",
    "sklearn.gaussian_process._gpc": "_BinaryGaussianProcessClassifierLaplace",
    "sklearn.gaussian_process.kernels": (
        "CompoundKernel ConstantKernel DotProduct ExpSineSquared Exponentiation Matern PairwiseKernel Product RBF "
        "RationalQuadratic Sum WhiteKernel"
    ),
    "sklearn.impute._iterative": "_ImputerTriplet",
    "sklearn.multiclass": "_ConstantPredictor",
    "sklearn.utils._bunch": "Bunch",
    "sklearn.utils._metadata_requests": "MetadataRequest MethodMetadataRequest MetadataRouter MethodMapping",
    "sklearn.utils.validation": "check_array",
    # Splitters of a search.
    "sklearn.model_selection._split": (
        "GroupKFold GroupShuffleSplit KFold LeaveOneGroupOut LeaveOneOut LeavePGroupsOut LeavePOut PredefinedSplit "
        "RepeatedKFold RepeatedStratifiedKFold ShuffleSplit StratifiedGroupKFold StratifiedKFold "
        "StratifiedShuffleSplit TimeSeriesSplit _CVIterableWrapper"
    ),
    "sklearn.model_selection._search_successive_halving": "_SubsampleMetaSplitter",
    # Scoring of a search, and selection of features: functions that calculate a number from arrays.
    "sklearn.metrics._scorer": (
        "_CurveScorer _MultimetricScorer _PassthroughScorer _Scorer negative_likelihood_ratio positive_likelihood_ratio"
    ),
    "sklearn.metrics._classification": (
        "accuracy_score balanced_accuracy_score brier_score_loss class_likelihood_ratios cohen_kappa_score "
        "d2_brier_score d2_log_loss_score f1_score fbeta_score hamming_loss hinge_loss jaccard_score log_loss "
        "matthews_corrcoef precision_score recall_score zero_one_loss"
    ),
    "sklearn.metrics._ranking": (
        "average_precision_score auc coverage_error dcg_score label_ranking_average_precision_score "
        "label_ranking_loss ndcg_score roc_auc_score top_k_accuracy_score"
    ),
    "sklearn.metrics._regression": (
        "d2_absolute_error_score d2_pinball_score d2_tweedie_score explained_variance_score max_error "
        "mean_absolute_error mean_absolute_percentage_error mean_gamma_deviance mean_pinball_loss "
        "mean_poisson_deviance mean_squared_error mean_squared_log_error mean_tweedie_deviance median_absolute_error "
        "r2_score root_mean_squared_error root_mean_squared_log_error"
    ),
    "sklearn.metrics.cluster._supervised": (
        "adjusted_mutual_info_score adjusted_rand_score completeness_score fowlkes_mallows_score homogeneity_score "
        "mutual_info_score normalized_mutual_info_score rand_score v_measure_score"
    ),
    "sklearn.metrics.cluster._unsupervised": "calinski_harabasz_score davies_bouldin_score silhouette_score",
    "sklearn.metrics.pairwise": (
        "additive_chi2_kernel chi2_kernel cosine_distances cosine_similarity euclidean_distances haversine_distances "
        "laplacian_kernel linear_kernel manhattan_distances nan_euclidean_distances polynomial_kernel rbf_kernel "
        "sigmoid_kernel"
    ),
    "sklearn.feature_selection._univariate_selection": "chi2 f_classif f_oneway f_regression r_regression",
    "sklearn.feature_selection._mutual_info": "mutual_info_classif mutual_info_regression",
}


@cache
def reviewed() -> frozenset[str]:
    """Return the full names of all types that are trusted for every project, SciPy's distributions included.

    A distribution draws and calculates numbers from its parameters, and calls nothing that its state names.
    """
    named = {f"{module}.{name}" for module, names in REVIEWED.items() for name in names.split()}
    made = (scipy.stats.rv_continuous, rv_discrete)
    shipped = (type(each) for each in vars(scipy.stats).values() if isinstance(each, made))
    return frozenset(named | {f"{each.__module__}.{each.__name__}" for each in shipped})


def trusted(extra: Sequence[str]) -> tuple[str, ...]:
    """Return all types that a project's model may hold; `extra` is its `training.trusted_types`.

    Raises:
        ProjectError: no project may trust a name in `extra`; see `why_not`.
    """
    for name in extra:
        problem = why_not(name)
        if problem:
            raise ProjectError(f"training.trusted_types: {name}: {problem}")
    return (*sorted(reviewed()), *extra)


def untrusted(saved: bytes, extra: Sequence[str]) -> tuple[str, ...]:
    """Return the types in a skops file that neither skops nor `trusted(extra)` allows. Creates no object of it."""
    return tuple(sorted(set(skops.get_untrusted_types(data=saved)) - set(trusted(extra))))


def needed(saved: bytes, extra: Sequence[str]) -> list[str]:
    """Return the trusted types in a skops file. MLflow stores them beside the model for loading it."""
    return sorted(set(skops.get_untrusted_types(data=saved)) & set(trusted(extra)))


def save(model: Any) -> bytes:
    """Return the model as a skops file. Exceptions of skops, or of the model's own classes, propagate."""
    content = io.BytesIO()
    with savable_distributions():
        skops.dump(model, content)
    return content.getvalue()


@contextmanager
def savable_distributions() -> Generator[None]:
    """Make SciPy's discrete distributions savable inside the block.

    `rv_discrete` keeps a function of itself in its state, which `rv_continuous` leaves out and recreates on loading;
    skops follows it in an endless recursion.
    https://github.com/scipy/scipy/blob/v1.17.1/scipy/stats/_distn_infrastructure.py
    """
    original: Any = rv_discrete.__getstate__

    def state(self: Any) -> Mapping[str, Any]:
        return {name: value for name, value in original(self).items() if name != "vecentropy"}

    setattr(rv_discrete, "__getstate__", state)  # noqa: B010 - a class of SciPy, for as long as this lasts
    try:
        yield
    finally:
        setattr(rv_discrete, "__getstate__", original)  # noqa: B010


def plain(names: Iterable[str]) -> str:
    """Return type names for a message: at most five, then the number of further ones."""
    found = list(names)
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return ", ".join(found[:5]) + more
