"""PostgreSQL database of MLflow."""
