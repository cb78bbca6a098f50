"""Malignant or benign: the example project."""
