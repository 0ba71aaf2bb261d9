"""`python -m runfolio`: the same as the `runfolio` command."""

from runfolio.cli.main import main

if __name__ == "__main__":
    main()
