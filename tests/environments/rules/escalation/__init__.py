"""A search for privilege escalations by an environment's roles. It is pure: documents in, escalation paths out."""
