"""A sound project, as a team would write it."""

from typing import Any

SOUND: dict[str, Any] = {
    "apiVersion": "ml-platform/v1",
    "name": "churn",
    "team": "growth",
    "owner": "growth@acme.example",
    "description": "Which customers are about to leave",
    "environments": ["dev", "prod"],
    "quota": {"cpu": "8", "memory": "16Gi", "accelerators": 1},
    "data": {
        "source": {"type": "sql", "secret": "warehouse", "query": "SELECT * FROM customers ORDER BY id"},
        "target": "leaves",
        "contract": "churn.contract:customers",
    },
    "training": {
        "entrypoint": "churn.training:train",
        "resources": {"cpu": "2", "memory": "4Gi"},
        "accelerator": {"type": "nvidia-l4"},
        "schedule": "0 3 * * 1",
        "gate": {"metric": "f1", "minimum": 0.8},
    },
    "serving": {
        "online": {
            "replicas": 2,
            "resources": {"cpu": "500m", "memory": "1Gi"},
            "autoscaling": {"max_replicas": 6},
        }
    },
    "secrets": ["warehouse"],
}
