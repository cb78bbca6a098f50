"""The example project: a classifier of tumours as malignant or benign."""
