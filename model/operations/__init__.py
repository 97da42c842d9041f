"""The vector operations that programs are made of, each with its format rule and golden value."""
