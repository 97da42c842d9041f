"""The serial link of a core: docs/link.md in Python for the host, in Amaranth for the board."""
