"""A search for ways in which a role of an environment becomes more than it is. Pure: documents in, ways out."""
