"""Validation of YAML that users write: strict, frozen models, and errors in plain words."""
