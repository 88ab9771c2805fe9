"""The shapes of the tables that `Governance.rows` fills; no task owns their rows."""

from collections.abc import Mapping
from typing import Final

from wattswarm.kernel.rows import Column, ColumnType, TableShape

UINT, BYTES, TEXT, BOOL = ColumnType.UINT, ColumnType.BYTES, ColumnType.TEXT, ColumnType.BOOL

TABLES: Final[Mapping[str, TableShape]] = {
    "governance_versions": TableShape(
        (
            Column("version_id", BYTES),
            Column("prev", BYTES, is_nullable=True),
            Column("version", UINT),
            Column("effective_at", UINT),
            Column("threshold", UINT),
            Column("rules_version", UINT),
            Column("proposer_is_open", BOOL),
            Column("verifier_is_open", BOOL),
            Column("params", BYTES),
            Column("is_head", BOOL),
        ),
        key=("version_id",),
    ),
    "governance_members": TableShape(
        (
            Column("version_id", BYTES),
            Column("node", BYTES),
            Column("is_proposer", BOOL),
            Column("is_verifier", BOOL),
            Column("is_committer", BOOL),
            Column("is_finalizer", BOOL),
        ),
        key=("version_id", "node"),
    ),
    "governance_policies": TableShape(
        (
            Column("version_id", BYTES),
            Column("policy_id", TEXT),
            Column("policy_version", UINT),
            Column("specification_hash", BYTES),
        ),
        key=("version_id", "policy_id", "policy_version"),
    ),
    "governance_admissions": TableShape(
        (Column("node", BYTES), Column("admitted_by", BYTES), Column("event_id", BYTES)),
        key=("node", "admitted_by", "event_id"),
    ),
    "governance_equivocations": TableShape(
        (Column("prev", BYTES), Column("node", BYTES), Column("version_id", BYTES)),
        key=("prev", "node", "version_id"),
    ),
}
