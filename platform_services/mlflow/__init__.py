"""MLflow: the server, its database, and the accounts of its users."""
