"""What the pods of a training run hand to each other through the data lake."""
