"""What the operator must mend before a node can start."""

from collections.abc import Sequence

import attrs

from wattswarm.kernel.errors import WattSwarmError


@attrs.frozen(kw_only=True)
class Problem:
    """One thing that is wrong with the configuration, where it stands, and how to mend it."""

    code: str
    path: str
    message: str
    remedy: str = ""

    @property
    def sentence(self) -> str:
        """Return what is wrong, without the remedy."""
        return f"{self.path}: {self.message}" if self.path else self.message

    def __str__(self) -> str:
        return f"{self.sentence}; {self.remedy}" if self.remedy else self.sentence


@attrs.define(eq=False, kw_only=True)
class ConfigError(WattSwarmError):
    """The configuration or the state directory cannot be used as it is; all reasons at once."""

    code: str = "config_invalid"  # pyright: ignore[reportIncompatibleVariableOverride]
    problems: Sequence[Problem]

    @property
    def remedy(self) -> str:
        """Return what to do, when there is one thing to do."""
        return self.problems[0].remedy if len(self.problems) == 1 else ""

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return self.problems[0].sentence
        return "\n".join(str(problem) for problem in self.problems)


def config_error(code: str, message: str, *, path: str = "", remedy: str = "") -> ConfigError:
    """Return the error that tells of a single problem."""
    problem = Problem(code=code, path=path, message=message, remedy=remedy)
    return ConfigError(code=code, problems=[problem])
