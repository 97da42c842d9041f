"""`python -m sylvan` is the `sylvan` command."""

from .cli import main

if __name__ == "__main__":
    main()
