"""Boards: a module for each kind, what they share, the link to a host, and a sensor's design."""
