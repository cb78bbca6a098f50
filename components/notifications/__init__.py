"""Notification topic of an environment and its e-mail subscriptions."""
