"""`python -m avow`: the command line, without the installed script."""

from avow.cli import main

if __name__ == "__main__":
    main()
