"""Governance as it would be if one more statement held: what a statement is going to do."""

import attrs

from wattswarm.kernel.event import Event
from wattswarm.kernel.governance.governance import Governance
from wattswarm.kernel.governance.statement import Statement
from wattswarm.kernel.governance.statements import void_code
from wattswarm.kernel.ids import Digest
from wattswarm.kernel.version import Version


@attrs.frozen
class Supposed:
    """What derivation asks of governance, with a statement that holds before all others of its
    target.
    """

    governance: Governance
    said: Statement

    @property
    def network_id(self) -> str:
        """The network that all events belong to."""
        return self.governance.network_id

    def version(self, pin: Digest) -> Version | None:
        """Return the valid version with this id, if there is one yet."""
        return self.governance.version(pin)

    def voids(self, event: Event, pin: Digest | None = None) -> str | None:
        """Return the code of why an event would be without effect, or None."""
        return void_code(event, lambda kind, target: self._standing(kind, target, pin))

    def _standing(self, kind: str, target: bytes, pin: Digest | None) -> Statement | None:
        statements = self.governance.statements
        is_meant = self.said.about == (kind, target)
        if is_meant and (pin is None or statements.chain.descends(self.said.governance, pin)):
            return self.said
        return statements.standing_statement(kind, target, pin)
