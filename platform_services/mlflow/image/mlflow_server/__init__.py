"""What runs in MLflow's image: the server, the set-up of its database, and the keeping of its accounts."""
