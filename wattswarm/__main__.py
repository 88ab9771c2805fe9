"""`python -m wattswarm`: the same as the `wattswarm` command."""

from wattswarm.cli.main import main

if __name__ == "__main__":
    main()
