"""Monthly cost budget of an environment."""
