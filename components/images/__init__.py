"""Container images: their sources in the repository, their presence in ECR, and the table of upstream images."""
