"""When an object does what it was made for, judged from what the API server says about it."""
