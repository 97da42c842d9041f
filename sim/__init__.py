"""Simulation of generated RTL against the golden model."""
