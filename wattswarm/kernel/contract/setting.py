"""The defaults of a contract, and what they depend on."""

from collections.abc import Mapping
from typing import Final

import attrs

from wattswarm.kernel.canonical import Value
from wattswarm.kernel.contract.model import BY_RANK, Allocator, BudgetMode, Independence, Mode
from wattswarm.kernel.contract.rules import is_sound
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.policy import SCHEMA_ONLY, bind
from wattswarm.kernel.version import Role, Version

LOCAL_PREFIX: Final = "local:"

MANY_VERIFIERS: Final = 4
"""From this many verifiers on, one of them alone is no quorum by default."""

LEASE_MS: Final = 30_000
TIME_MS: Final = 600_000
WINDOW_MS: Final = 10_000
LIFE_MS: Final = 3_600_000
COST_UNITS: Final = 1_000
EXPLORE_PERCENT: Final = 35
VERIFY_PERCENT: Final = 45
FINALIZE_PERCENT: Final = 20
REUSE_TIME_MS: Final = 20_000
REUSE_UNITS: Final = 200
SETTLEMENT_WINDOW_MS: Final = 86_400_000


@attrs.frozen(kw_only=True)
class Setting:
    """Where and when a document becomes a contract, and whose it is."""

    network_id: str
    pin: Version
    created_at: int
    creator: NodeId

    @property
    def is_local(self) -> bool:
        """Whether the network is one node by itself."""
        return self.network_id.startswith(LOCAL_PREFIX)


def defaults(given: Mapping[str, Value], setting: Setting) -> Mapping[str, Value]:
    """Return the value that every field has unless the document gives another.

    A default yields to what was given (a short `time_ms` shortens the lease, and so on), so that
    nobody is told off for a field that he did not write.
    """
    quorum = _given(given, "quorum_threshold", _quorum(setting.pin))
    needed = max(quorum + 1, _given(given, "da_quorum_threshold", 1))
    lease_ms = _given(given, "lease_ms", min(LEASE_MS, _given(given, "time_ms", LEASE_MS)))
    time_ms = _given(given, "time_ms", max(TIME_MS, lease_ms))
    cost_units = _given(given, "cost_units", COST_UNITS)
    is_continuous = given.get("mode") == Mode.CONTINUOUS
    return {
        "name": "",
        "inputs": "{}",
        "output_schema": "{}",
        "policy": bind(SCHEMA_ONLY).to_payload(),
        "mode": Mode.ONE_SHOT.value,
        "budget_mode": (BudgetMode.EPOCH_RENEW if is_continuous else BudgetMode.LIFETIME).value,
        "quorum_threshold": quorum,
        "da_quorum_threshold": 1,
        "independence": (Independence.NONE if setting.is_local else Independence.NODE).value,
        "commit_reveal": not setting.is_local,
        "allocator": Allocator.OPEN.value,
        "decider": BY_RANK,
        "max_concurrency": {"propose": 1, "verify": quorum + 1},
        "max_proposers": 1,
        "max_verifiers": needed,
        "topk": 3,
        "no_new_evidence_rounds": 3,
        "max_attempts": 3,
        "lease_ms": lease_ms,
        "time_ms": time_ms,
        "commit_window_ms": WINDOW_MS,
        "reveal_window_ms": WINDOW_MS,
        "decision_window_ms": WINDOW_MS,
        "decider_timeout_ms": WINDOW_MS,
        "expires_at": setting.created_at + _life_ms(given.get("expires_in_ms")),
        "stage_units": {
            "explore": _share(cost_units, EXPLORE_PERCENT),
            "verify": _share(cost_units, VERIFY_PERCENT),
            "finalize": _share(cost_units, FINALIZE_PERCENT),
        },
        "max_steps": 100,
        "cost_units": cost_units,
        "reuse": {
            "max_attempts": 1,
            "verify_time_ms": min(REUSE_TIME_MS, time_ms),
            "verify_units": min(REUSE_UNITS, cost_units),
        },
        "settlement": {
            "window_ms": SETTLEMENT_WINDOW_MS,
            "implicit_weight_bp": 1_000,
            "W": 10,
            "K": 50,
            "P": 3,
            "authority": setting.creator,
        },
    }


def _quorum(pin: Version) -> int:
    return 2 if len(pin.holders(Role.VERIFIER)) >= MANY_VERIFIERS else 1


def _share(cost_units: int, percent: int) -> int:
    return max(1, cost_units * percent // 100)


def _life_ms(value: Value | None) -> int:
    return value if type(value) is int else LIFE_MS


def _given(given: Mapping[str, Value], name: str, otherwise: int) -> int:
    """Return an integer of the document, if it is one that its field may have."""
    value = given.get(name)
    return value if type(value) is int and is_sound(name, value) else otherwise
