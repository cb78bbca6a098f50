"""`mlp reachability`: check the routes, rules and endpoints that an environment needs."""
