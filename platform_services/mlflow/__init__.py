"""MLflow: the server, its database, and the accounts of those who use it."""
