"""Cell families, one room each: a parameter dataclass, a step body, a torch layer, a README."""
