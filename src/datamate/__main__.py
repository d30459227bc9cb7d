"""`python -m datamate` is `datamate`."""

from datamate.cli.main import main

if __name__ == "__main__":
    main()
