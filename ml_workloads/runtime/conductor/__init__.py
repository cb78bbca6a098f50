"""Part of a training run without the project's code: it splits the data, starts the training, evaluates and records."""
