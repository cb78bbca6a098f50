"""Debian packages and pip's configuration of this machine.

Only the standard library is imported: the set-up uses these modules before anything is installed.
"""
