"""`wattswarm config …`: settings in force, by default, validated. Needs no node."""

from pathlib import Path

import attrs
from cyclopts import App

from wattswarm.cli.failure import FAILED, Failure
from wattswarm.cli.session import Here, Session
from wattswarm.surface.node import ConfigView, SettingView

app = App(name="config", help="Settings: in force, by default, validated.")


@app.command
def show(setting: str | None = None, /, *, session: Here) -> None:
    """Show every setting, its value and where that came from: the running node's, if one runs.

    Args:
        setting: Only settings whose path begins like this.
    """
    from wattswarm.cli.views.node import config_view

    view = in_force(session)
    rows = tuple(row for row in view.settings if row.path.startswith(setting or ""))
    if not rows:
        raise Failure(
            code="not_found",
            message=f"there is no setting {setting}",
            remedy="`wattswarm config show` lists all",
        )
    session.out.show(ConfigView(settings=rows), config_view)


def in_force(session: Session) -> ConfigView:
    """Return the settings of the running node, or of one that would start now."""
    from wattswarm.cli.client import URL_VARIABLE
    from wattswarm.config.document import rows

    if URL_VARIABLE in session.environment or session.state.holder() is not None:
        with session.client() as client:
            return client.get(ConfigView, "/config")
    made = [SettingView(**attrs.asdict(row)) for row in rows(session.config())]
    return ConfigView(settings=tuple(made))


@app.command
def default(*, session: Here) -> None:
    """Print the default configuration file, with what each setting is for and its range."""
    from wattswarm.config.document import default_toml

    session.out.text(default_toml())


@app.command
def validate(file: str | None = None, /, *, session: Here) -> int:
    """Check the configuration that a node would start with; every problem is told at once.

    Args:
        file: Another file than the state directory's config.toml.
    """
    from wattswarm.config.errors import ConfigError
    from wattswarm.config.load import load

    path = session.state.config_path if file is None else Path(file)
    if file is not None and not path.exists():
        raise Failure(code="file_not_found", message=f"there is no file {file}")
    try:
        loaded = load(path, session.environment)
    except ConfigError as error:
        problems = tuple(attrs.asdict(problem) for problem in error.problems)
        told = "\n".join(str(problem) for problem in error.problems)
        session.out.show({"valid": False, "problems": problems}, lambda _: told)
        return FAILED
    chosen = sum(source != "built-in" for source in loaded.sources.values())
    file_is = "is valid" if path.exists() else "does not exist, which is fine"
    told = f"{path} {file_is}; {chosen} of {len(loaded.sources)} settings are not built-in"
    session.out.show({"valid": True, "problems": ()}, lambda _: told)
    return 0
