#!/usr/bin/env bash
# Behaviour: skops cannot save a search over scipy.stats.randint. It can save one over scipy.stats.uniform.
# Package: skops
# Version: 0.16.0
# Date: 2026-11-29
# Expected: skops saves every estimator of scikit-learn, also a fitted RandomizedSearchCV over any distribution of
#   SciPy. pickle does.
# Observed: A discrete distribution such as randint raises RecursionError. It holds bound methods of itself. skops
#   follows a method to its object and back again, and does not remember visited objects. Continuous distributions hold
#   none.
# Consequence: The error comes when the model is saved, after all the training, and does not name the distribution. A
#   range or a list of integers avoids it, and so does saving best_estimator_.
# Output:
#   skops 0.16.0 scikit-learn 1.9.1 scipy 1.17.1
#   uniform: pickle saves it, skops: saved
#   range: pickle saves it, skops: saved
#   randint: pickle saves it, skops: RecursionError: maximum recursion depth exceeded
# See: https://github.com/skops-dev/skops/pull/195 found this for another discrete distribution, zipf
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --no-compile skops==0.16.0 scikit-learn==1.9.1 scipy==1.17.1 numpy==2.4.6
venv/bin/python - <<'END'
import pickle
import sys

import scipy
import sklearn
import skops
import skops.io
from scipy.stats import randint, uniform
from sklearn.datasets import load_iris
from sklearn.model_selection import RandomizedSearchCV
from sklearn.tree import DecisionTreeClassifier

print("skops", skops.__version__, "scikit-learn", sklearn.__version__, "scipy", scipy.__version__)
seen = {}
for name, parameters in {
    "uniform": {"ccp_alpha": uniform(0, 0.1)},
    "range": {"max_depth": range(1, 5)},
    "randint": {"max_depth": randint(1, 5)},
}.items():
    search = RandomizedSearchCV(DecisionTreeClassifier(), parameters, n_iter=2, cv=2, random_state=0)
    search.fit(*load_iris(return_X_y=True))
    pickle.loads(pickle.dumps(search))
    try:
        skops.io.dumps(search)
        seen[name] = "saved"
    except RecursionError as error:
        seen[name] = f"RecursionError: {error}"
    print(f"{name}: pickle saves it, skops: {seen[name]}")
if [each.split(":")[0] for each in seen.values()] != ["saved", "saved", "RecursionError"]:
    sys.exit("changed: expected was that all but randint are saved")
END
