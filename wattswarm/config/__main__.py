"""Print the default configuration file: `python -m wattswarm.config > config/default.toml`."""

import sys

from wattswarm.config.document import default_toml

if __name__ == "__main__":
    sys.stdout.write(default_toml())
