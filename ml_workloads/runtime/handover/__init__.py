"""Objects that the pods of a training run exchange through the data lake."""
