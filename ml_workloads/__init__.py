"""Projects of ML teams: the files that a team writes, and the resources that the platform creates from them."""
