"""Serves predictions over HTTP with the model that an alias names, and follows the alias without a restart."""
