"""Script that prints every route of MLflow's application as JSON, run with the packages of MLflow's image.

It is not imported.
"""

# pyright: basic
import json
import re
from typing import Any

from mlflow.server import app, auth
from mlflow_server.routes import route_of


def as_in_flask(path):  # noqa: ANN001 - a script
    return re.sub(r"\{(\w+)(?::\w+)?\}", r"<\1>", path)


made: Any = auth.create_app()
rules = {(method, rule.rule) for rule in app.url_map.iter_rules() for method in rule.methods or ()}
for route in made.routes:
    # FastAPI keeps the routes of an included router in contexts of their own.
    for context in (route, *getattr(route, "effective_route_contexts", lambda: [])()):
        rules |= {(method, as_in_flask(context.path)) for method in getattr(context, "methods", None) or ()}
print(json.dumps(sorted((method, route_of(rule), rule) for method, rule in rules)))
