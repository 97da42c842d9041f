"""What all boards have in common: what one is, the design around a core, and its build."""
