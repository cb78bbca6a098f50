#!/usr/bin/env bash
# pandas: a column from a NumPy array of dtype object becomes str, one from a Series of dtype object stays object.
#
# One would guess: whoever says dtype=object gets a column of objects, whichever of the two it was said to.
# What happens: dtypes of a NumPy array of objects are inferred anew, as if it were a list: strings and None become
# dtype str, and None becomes NaN. A Series keeps its dtype and None. DataFrame(..., dtype=object) keeps both for
# arrays too.
# Why it matters: the same values get two schemas depending on how they came, and `value is None` holds in one of them
# only.
#
# https://github.com/pandas-dev/pandas/issues/64844 and https://github.com/pandas-dev/pandas/issues/56012
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
