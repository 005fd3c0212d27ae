"""`python -m isoflop`: the command line where no script is on the path."""

from isoflop.cli.main import main

if __name__ == "__main__":
    main()
