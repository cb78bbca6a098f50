"""Programs that stand in for upstream images which no package registry has. Each is a package of its own that runs in
a container: it imports nothing of this project."""
