"""Governance as the log has it: the newest version, all before it, statements, and what waits."""

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeVar

import attrs

from wattswarm.actors.runtime.world import Clock
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.governance import Governance, Version
from wattswarm.kernel.ids import Digest, NodeId
from wattswarm.operations.cursors import BAD_CURSOR
from wattswarm.operations.derivation import Governing
from wattswarm.operations.governance_view import governance_view, proposal_view, version_line
from wattswarm.operations.naming import pick
from wattswarm.operations.statement_view import notable, statement_view
from wattswarm.store.pool import Reads
from wattswarm.surface.governance import GovernanceView, Proposals, VersionPage
from wattswarm.surface.statement import StatementPage

T = TypeVar("T")

NUMBER_DIGITS_MAX: Final = 15

PLACE: Final = re.compile(r"[0-9a-f]{128}\Z")
"""Where a statement stands in the list: by its target, and then by its own name."""


@attrs.frozen(kw_only=True)
class GovernanceBooks:
    """The reading half of `GovernanceOperations`."""

    reads: Reads
    governing: Governing
    me: NodeId
    clock: Clock

    async def governance(self, name: str | None) -> GovernanceView | Rejection:
        """Return a version, by default the newest."""
        now_ms = self.clock.wall_ms()

        def look(governance: Governance) -> GovernanceView | Rejection:
            version = newest(governance) if name is None else find_version(governance, name)
            if isinstance(version, Rejection):
                return version
            return governance_view(governance, version, now_ms)

        return await self._look(look)

    async def versions(self, *, cursor: str | None, limit: int) -> VersionPage | Rejection:
        """Return valid versions, newest first; rivals of one number stand on one page."""
        if cursor is not None and not _is_number(cursor):
            return BAD_CURSOR
        now_ms = self.clock.wall_ms()
        return await self._look(
            lambda governance: _page(
                governance, None if cursor is None else int(cursor), limit, now_ms
            )
        )

    async def pending(self) -> Proposals | Rejection:
        """Return the successors of the newest version that wait for signatures."""
        now_ms = self.clock.wall_ms()

        def look(governance: Governance) -> Proposals | Rejection:
            head = newest(governance)
            if isinstance(head, Rejection):
                return head
            waiting = governance.proposals(head.id)
            return Proposals(
                items=tuple(proposal_view(governance, each, self.me, now_ms) for each in waiting)
            )

        return await self._look(look)

    async def statements(self, *, cursor: str | None, limit: int) -> StatementPage | Rejection:
        """Return the statements that hold and those that wait for signatures, by target."""
        if cursor is not None and not PLACE.match(cursor):
            return BAD_CURSOR
        now_ms = self.clock.wall_ms()
        return await self._look(
            lambda governance: _statements(governance, self.me, cursor, limit, now_ms)
        )

    async def _look(self, look: Callable[[Governance], T]) -> T:
        return await self.reads.run(lambda connection: self.governing.decide(connection, look))


def newest(governance: Governance) -> Version | Rejection:
    """Return the newest valid version, which the next one succeeds."""
    head = governance.head()
    if head is None:
        return Rejection(code="no_governance", message="the log has no genesis record yet")
    return head


def find_version(governance: Governance, name: str) -> Version | Rejection:
    """Return the version of this number, id or unique prefix: a valid one, or one that waits.

    Digits alone are a number when the chain of the newest version has it, and else the beginning of
    an id.
    """
    known = {version.id: version for version in (*valid(governance), *_waiting(governance))}
    if _is_number(name):
        numbered = [each for each in _chain(governance) if each.version == int(name)]
        if numbered:
            return numbered[0]
    found = pick(known, name, "governance version")
    return found if isinstance(found, Rejection) else known[found]


def valid(governance: Governance) -> list[Version]:
    """Return all valid versions, newest first, and rivals by their ids."""
    found = [] if governance.genesis is None else [governance.genesis]
    for version in found:
        found += [each.version for each in governance.proposals(version.id) if each.is_valid]
    return sorted(found, key=lambda each: (-each.version, each.id))


def _waiting(governance: Governance) -> list[Version]:
    head = governance.head()
    return [] if head is None else [each.version for each in governance.proposals(head.id)]


def _chain(governance: Governance) -> Iterator[Version]:
    """Yield the newest version and those that it succeeds."""
    version = governance.head()
    while version is not None:
        yield version
        version = None if version.prev is None else governance.version(Digest(version.prev))


def _page(governance: Governance, before: int | None, limit: int, now_ms: int) -> VersionPage:
    known = [each for each in valid(governance) if before is None or each.version < before]
    numbers = [each.version for each in known[:limit]]
    shown = [each for each in known if numbers and each.version >= numbers[-1]]
    return VersionPage(
        items=tuple(version_line(governance, each, now_ms) for each in shown),
        next=str(numbers[-1]) if len(shown) < len(known) else None,
    )


def _statements(
    governance: Governance, me: NodeId, after: str | None, limit: int, now_ms: int
) -> StatementPage:
    found = {
        each.statement.target.hex() + each.id.hex(): each for each in notable(governance, now_ms)
    }
    later = sorted(place for place in found if after is None or place > after)
    shown = [found[place] for place in later[:limit]]
    return StatementPage(
        items=tuple(statement_view(each.statement, each.signers, governance, me) for each in shown),
        next=later[limit - 1] if len(later) > limit else None,
    )


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) <= NUMBER_DIGITS_MAX
