"""Governance as rows, each table in the order of its key."""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from wattswarm.kernel import canonical
from wattswarm.kernel.governance.chain import Chain
from wattswarm.kernel.governance.statements import Gathered, Statements
from wattswarm.kernel.version import Role, Version

Row: TypeAlias = "tuple[int | str | bytes | bool | None, ...]"


def chain_rows(chain: Chain) -> Mapping[str, tuple[Row, ...]]:
    """Return the rows of versions and admissions."""
    versions = sorted(chain.versions, key=lambda version: version.id)
    head = chain.head()
    return {
        "governance_versions": tuple(
            _version_row(version, is_head=version is head) for version in versions
        ),
        "governance_members": tuple(row for version in versions for row in _member_rows(version)),
        "governance_policies": tuple(
            (version.id, policy.id, policy.version, policy.hash)
            for version in versions
            for policy in version.policies
        ),
        "governance_admissions": tuple(sorted(chain.admissions)),
        "governance_equivocations": tuple(
            (each.prev, each.node, name) for each in chain.equivocators for name in each.signed
        ),
    }


def _version_row(version: Version, *, is_head: bool) -> Row:
    return (
        version.id,
        version.prev,
        version.version,
        version.effective_at,
        version.threshold,
        version.rules_version,
        Role.PROPOSER in version.open_roles,
        Role.VERIFIER in version.open_roles,
        canonical.encode(version.params),
        is_head,
    )


def _member_rows(version: Version) -> Iterator[Row]:
    for node in sorted(version.members):
        roles = version.members[node]
        yield (version.id, node, *(role in roles for role in Role))


def statement_rows(statements: Statements) -> Mapping[str, tuple[Row, ...]]:
    """Return the rows of statements, and of the events that those who were cut off keep.

    What no finalizer has signed is none, whatever a stranger writes: it has a verdict, no more.
    """
    signed = (each for each in statements.gathered if each.signers)
    gathered = sorted(signed, key=lambda each: each.id)
    return {
        "governance_statements": tuple(
            _statement_row(each, is_quorate=statements.is_quorate(each)) for each in gathered
        ),
        "governance_kept": tuple(
            (each.id, name) for each in gathered for name in sorted(each.statement.keep or ())
        ),
    }


def _statement_row(gathered: Gathered, *, is_quorate: bool) -> Row:
    said = gathered.statement
    begin_ms, end_ms = (None, None) if said.window is None else said.window
    return (
        gathered.id,
        said.kind,
        said.target,
        said.serial,
        said.state.value,
        said.governance,
        said.reason,
        begin_ms,
        end_ms,
        said.keep is not None,
        len(gathered.signers),
        is_quorate,
    )
