"""Commands for projects: training, promoting, asking and watching what a team deployed. The same on every account."""
