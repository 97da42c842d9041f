"""Tasks, one file each: data, splits and score."""
