"""IAM authorisation of the emulated account: the caller, the required permissions, and the policies that decide.

`gate.authorise` runs before a request is executed and recorded. A denied request changes nothing and is not in the
journal, so a replay skips authorisation.
"""
