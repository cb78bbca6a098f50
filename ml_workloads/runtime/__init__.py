"""What runs inside every image of a project: loading data, checking it, evaluating and gating models.

Usable without Kubernetes and without an AWS account: a team tests its project with it on a laptop.
"""
