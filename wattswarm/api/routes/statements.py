"""Statements: events revoked and restored, nodes penalized and pardoned, by several together."""

from typing import Final

from wattswarm.api.operation import CURSOR, LIMIT, Call, Operation
from wattswarm.api.routes.governance import GOVERNANCE, SignRequest
from wattswarm.api.routes.tasks import NAME_CODES
from wattswarm.surface.statement import (
    EventOrder,
    PardonOrder,
    PenaltyOrder,
    Stated,
    StatementPage,
)

STATEMENTS: Final = f"{GOVERNANCE}/statements"
CODES: Final = (*NAME_CODES, "missing_role", "already_signed", "signing_stopped", "read_only")


async def _statements(call: Call) -> object:
    return await call.api.statements(cursor=call.query["cursor"], limit=call.query["limit"])


async def _sign(call: Call) -> object:
    return await call.api.sign_statement(call.path["name"], dry_run=call.body.dry_run)


OPERATIONS: Final = (
    Operation(
        method="GET",
        path=STATEMENTS,
        name="list_statements",
        summary="Statements that hold of events and nodes, and those that wait for signatures.",
        call=_statements,
        answer=StatementPage,
        query=(CURSOR, LIMIT),
    ),
    Operation(
        method="POST",
        path=f"{STATEMENTS}/{{name}}/sign",
        name="sign_statement",
        summary="Sign a statement that other finalizers have begun.",
        call=_sign,
        body=SignRequest,
        answer=Stated,
        codes=CODES,
    ),
    Operation(
        method="POST",
        path=f"{GOVERNANCE}/revocations",
        name="revoke_event",
        summary="Sign that an event has no effect, or only tell what that would change.",
        call=lambda call: call.api.revoke_event(call.body),
        body=EventOrder,
        answer=Stated,
        codes=(*CODES, "not_revocable", "bad_field"),
    ),
    Operation(
        method="POST",
        path=f"{GOVERNANCE}/restorations",
        name="restore_event",
        summary="Sign that an event has its effect again.",
        call=lambda call: call.api.restore_event(call.body),
        body=EventOrder,
        answer=Stated,
        codes=(*CODES, "not_revocable", "bad_field"),
    ),
    Operation(
        method="POST",
        path=f"{GOVERNANCE}/penalties",
        name="penalize_node",
        summary="Sign that what a node says has no effect: for a time, or all but what is kept.",
        call=lambda call: call.api.penalize_node(call.body),
        body=PenaltyOrder,
        answer=Stated,
        codes=(*CODES, "not_oneself", "bad_field", "too_large"),
    ),
    Operation(
        method="POST",
        path=f"{GOVERNANCE}/pardons",
        name="pardon_node",
        summary="Sign that a node's penalty is taken back.",
        call=lambda call: call.api.pardon_node(call.body),
        body=PardonOrder,
        answer=Stated,
        codes=(*CODES, "bad_field"),
    ),
)
