"""Boards: transports, and what a host speaks through them (no pins yet)."""
