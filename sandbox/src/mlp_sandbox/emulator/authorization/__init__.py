"""IAM in front of the emulated account: who signed a request, what it needs, and which policies allow or deny that.

`gate.authorise` is asked before a request is executed and recorded. A refused request changes nothing and is in no
journal, so a replay asks nobody again.
"""
