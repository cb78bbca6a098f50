"""The contract that the data must meet before a model is trained on it."""

import pandera.pandas as pa

MEASUREMENTS = (
    *("radius", "texture", "perimeter", "area", "smoothness"),
    *("compactness", "concavity", "concave_points", "symmetry", "fractal_dimension"),
)
STATISTICS = ("mean_{}", "{}_error", "worst_{}")
COLUMNS = tuple(statistic.format(measurement) for statistic in STATISTICS for measurement in MEASUREMENTS)

tumours = pa.DataFrameSchema(
    {
        **{name: pa.Column(float, pa.Check.ge(0)) for name in COLUMNS},
        "diagnosis": pa.Column(str, pa.Check.isin(["malignant", "benign"])),
    },
    strict=True,
    checks=[
        pa.Check(lambda table: table["worst_radius"] >= table["mean_radius"], name="worst_is_not_below_mean"),
    ],
)
