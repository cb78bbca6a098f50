"""Debian packages and pip configuration of this machine.

Only the standard library is imported: the setup uses these modules before anything is installed.
"""
