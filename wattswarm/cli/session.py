"""What every command is called with: the state directory, the environment, and the output."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import attrs
from cyclopts import Parameter

from wattswarm.cli.output import Output

if TYPE_CHECKING:
    from wattswarm.cli.client import Client
    from wattswarm.config.load import LoadedConfig
    from wattswarm.config.state_dir import StateDir


@attrs.frozen
class Session:
    """One call of the command."""

    out: Output
    environment: Mapping[str, str]
    state_dir: str | None = None
    """As given before the group; else the environment and the home directory decide."""

    @property
    def state(self) -> "StateDir":
        """Return the state directory."""
        from wattswarm.config.state_dir import find_state_dir

        return find_state_dir(self.state_dir, self.environment)

    @contextmanager
    def client(self) -> "Generator[Client]":
        """Open the connection to the node."""
        from wattswarm.cli.client import find_access, open_client

        with open_client(find_access(self.state, self.environment)) as client:
            yield client

    def config(self, flags: Mapping[str, object] | None = None) -> "LoadedConfig":
        """Return the configuration as a node that starts now would see it.

        Args:
            flags: Settings from the command line, by path.
        """
        from wattswarm.config.load import load

        return load(self.state.config_path, self.environment, flags)


Here = Annotated[Session, Parameter(parse=False)]
"""A parameter that the command line does not give."""
