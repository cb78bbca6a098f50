"""The AWS API of the local account: moto, the platform's extensions to it, and a journal that survives kill -9."""
