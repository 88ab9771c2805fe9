"""`wattswarm completion`: a shell's completion script."""

from typing import Literal

from wattswarm.cli.session import Here


def completion(shell: Literal["bash", "zsh", "fish"], /, *, session: Here) -> None:
    """Print a completion script; for bash: `source <(wattswarm completion bash)`.

    Args:
        shell: The shell that it is for.
    """
    from wattswarm.cli.main import app

    session.out.text(app.meta.generate_completion(prog_name="wattswarm", shell=shell))
