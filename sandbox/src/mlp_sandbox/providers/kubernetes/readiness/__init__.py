"""Readiness of objects, judged from the status that the API server returns."""
