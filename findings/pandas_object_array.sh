#!/usr/bin/env bash
# Behaviour: A column from a NumPy array of dtype object becomes str. A column from a Series of dtype object stays
#   object.
# Package: pandas
# Version: 3.1.1
# Date: 2026-11-29
# Expected: dtype=object gives a column of objects, on the array as well as on the Series.
# Observed: pandas infers the dtype of a NumPy array of objects anew, as if it were a list. Strings and None become
#   dtype str, and None becomes NaN. A Series keeps its dtype and None. DataFrame(..., dtype=object) keeps both for
#   arrays too.
# Consequence: The same values get two schemas, depending on the container that held them. `value is None` holds in one
#   of them only.
# Output:
#   pandas 3.1.1 numpy 2.4.6
#   array of objects: column of dtype str, values ['x', nan]
#   array of objects, dtype=object: column of dtype object, values ['x', None]
#   Series of objects: column of dtype object, values ['x', None]
# See: https://github.com/pandas-dev/pandas/issues/64844 and https://github.com/pandas-dev/pandas/issues/56012
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --no-compile pandas==3.1.1 numpy==2.4.6
venv/bin/python - <<'END'
import sys

import numpy as np
import pandas as pd

print("pandas", pd.__version__, "numpy", np.__version__)
values = ["x", None]
array = np.array(values, dtype=object)
seen = {}
for name, frame in {
    "array of objects": pd.DataFrame({"a": array}),
    "array of objects, dtype=object": pd.DataFrame({"a": array}, dtype=object),
    "Series of objects": pd.DataFrame({"a": pd.Series(values, dtype=object)}),
}.items():
    seen[name] = str(frame["a"].dtype), frame["a"].tolist()[1] is None
    print(f"{name}: column of dtype {seen[name][0]}, values {frame['a'].tolist()}")
if list(seen.values()) != [("str", False), ("object", True), ("object", True)]:
    sys.exit("changed: expected were str with NaN, object with None, object with None")
END
