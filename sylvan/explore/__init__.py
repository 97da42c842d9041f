"""Design-space exploration: from a question in a file to the networks and cores that answer it."""
