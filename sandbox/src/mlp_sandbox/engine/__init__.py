"""The real Pulumi engine on this machine: the `pulumi` command, its language host and its stored state."""
