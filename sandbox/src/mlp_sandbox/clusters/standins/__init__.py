"""Stand-ins for upstream images that no package registry provides.

Each stand-in is a separate package that runs in a container and imports nothing from this project.
"""
