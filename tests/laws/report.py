"""What a law found: how often it was checked, and where it did not hold."""

import attrs


@attrs.define
class Law:
    """One law, and the tally of its checks."""

    number: int
    name: str
    checks: int = 0
    violations: list[str] = attrs.field(factory=list[str])

    def check(self, holds: bool, where: str) -> None:
        """Count one check, and remember where it failed."""
        self.checks += 1
        if not holds:
            self.violations.append(where)

    def __str__(self) -> str:
        return (
            f"law {self.number} {self.name}: {self.checks} checks, "
            f"{len(self.violations)} violations"
        )
