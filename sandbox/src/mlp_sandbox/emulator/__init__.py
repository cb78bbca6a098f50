"""The AWS API of the local account: moto plus what this platform needs on top, with a journal that survives kill -9."""
