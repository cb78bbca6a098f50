"""Commands for deployed projects: training, promotion, predictions and monitoring.

They work the same on every account.
"""
