"""`mlp placement`: a real scheduler places every workload on the nodes that the program declares."""
