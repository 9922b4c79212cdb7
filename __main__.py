"""`python -m parley` is the same as the `parley` command."""

from .service.cli import main

if __name__ == "__main__":
    main()
