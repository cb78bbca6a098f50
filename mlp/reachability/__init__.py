"""`mlp reachability`: routes, rules and endpoints that an environment needs."""
