"""Boards: pins, transports and host-side twins (none yet)."""
