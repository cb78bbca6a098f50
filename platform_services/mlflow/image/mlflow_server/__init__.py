"""Programs of MLflow's image: the server, the set-up of its database, and the management of its accounts."""
