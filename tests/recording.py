from cli.recording import *  # noqa: F403 - moved
