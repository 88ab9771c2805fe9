"""Governance: who may do what, what shall change, and who signs that."""

from typing import Final

import attrs

from wattswarm.api.operation import CURSOR, LIMIT, PREFIX, Call, Operation
from wattswarm.api.routes.tasks import NAME_CODES
from wattswarm.surface.governance import (
    Admitted,
    ChangeOrder,
    GovernanceChanged,
    GovernanceView,
    Proposals,
    VersionPage,
)

GOVERNANCE: Final = f"{PREFIX}/governance"
VERSION: Final = f"{GOVERNANCE}/versions/{{name}}"
SIGNING_CODES: Final = (
    *NAME_CODES,
    "missing_role",
    "signed_rival",
    "lock_refused",
    "restored_since",
    "signing_stopped",
    "read_only",
)


@attrs.frozen(kw_only=True)
class SignRequest:
    """Whether to tell only what would be signed; whether to sign although the log was restored."""

    dry_run: bool = False
    after_restore: bool = False


@attrs.frozen(kw_only=True)
class AdmitRequest:
    """A node, by its hex id, or a unique prefix of one that is known here."""

    node: str
    dry_run: bool = False


async def _versions(call: Call) -> object:
    return await call.api.versions(cursor=call.query["cursor"], limit=call.query["limit"])


async def _sign(call: Call) -> object:
    return await call.api.sign_version(
        call.path["name"], dry_run=call.body.dry_run, after_restore=call.body.after_restore
    )


async def _admit(call: Call) -> object:
    return await call.api.admit_node(call.body.node, dry_run=call.body.dry_run)


OPERATIONS: Final = (
    Operation(
        method="GET",
        path=GOVERNANCE,
        name="get_governance",
        summary="The newest version of governance, and how governance stands.",
        call=lambda call: call.api.governance(None),
        answer=GovernanceView,
    ),
    Operation(
        method="GET",
        path=f"{GOVERNANCE}/versions",
        name="list_versions",
        summary="Valid versions of governance, newest first, with what each changed.",
        call=_versions,
        answer=VersionPage,
        query=(CURSOR, LIMIT),
    ),
    Operation(
        method="GET",
        path=VERSION,
        name="get_version",
        summary="One version of governance, by number, id or unique prefix.",
        call=lambda call: call.api.governance(call.path["name"]),
        answer=GovernanceView,
        codes=NAME_CODES,
    ),
    Operation(
        method="GET",
        path=f"{GOVERNANCE}/pending",
        name="list_pending_versions",
        summary="Drafts of the next version that wait for signatures.",
        call=lambda call: call.api.pending(),
        answer=Proposals,
    ),
    Operation(
        method="POST",
        path=f"{GOVERNANCE}/changes",
        name="change_governance",
        summary="Draft the next version and sign it, or only tell what it would be.",
        call=lambda call: call.api.change_governance(call.body),
        body=ChangeOrder,
        answer=GovernanceChanged,
        codes=(
            *SIGNING_CODES,
            "bad_field",
            "bad_version",
            "already_proposed",
            "not_the_drafter",
            "local_network",
        ),
    ),
    Operation(
        method="POST",
        path=f"{VERSION}/sign",
        name="sign_version",
        summary="Sign a version that another finalizer has drafted.",
        call=_sign,
        body=SignRequest,
        answer=GovernanceChanged,
        codes=(*SIGNING_CODES, "unknown_version"),
    ),
    Operation(
        method="POST",
        path=f"{GOVERNANCE}/admissions",
        name="admit_node",
        summary="Admit a node: its events are taken into the set from then on.",
        call=_admit,
        body=AdmitRequest,
        answer=Admitted,
        codes=(*NAME_CODES, "missing_role", "local_network", "signing_stopped", "read_only"),
    ),
)
