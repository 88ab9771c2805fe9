"""The golden vectors: what another implementation must compute from the same inputs.

`vectors` makes them with our code; `tests/unit/test_vectors.py` compares them with the file, and
recomputes them from the file with nothing but CBOR, BLAKE3 and Ed25519. Regenerate the file with
`scripts/vectors`; a change in it is a change of the protocol.
"""

import json
from pathlib import Path
from typing import Final

from wattswarm.kernel import (
    archive,
    artifact,
    canonical,
    chain,
    choice,
    contract,
    control,
    evidence,
    finality,
    governance,
    json_text,
    policy,
    version,
    vote,
)
from wattswarm.kernel.archive import ArchiveWriter
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.hashing import artifact_digest
from wattswarm.kernel.ids import Digest, EventId
from wattswarm.kernel.payloads.control import ControlWord
from wattswarm.kernel.payloads.vote import Ballot
from wattswarm.kernel.records import Control, Label, Subject
from wattswarm.kernel.signature import Domain, KeyPair, message

FILE: Final = Path(__file__).parents[2] / "docs" / "protocol" / "vectors.json"

KEY: Final = KeyPair.from_seed(b"\x09" * 32)
OTHER: Final = KeyPair.from_seed(b"\x0a" * 32)
NOW_MS: Final = 1_790_000_000_000
RECORD: Final = version.local_genesis(KEY.node_id)
NETWORK: Final = version.network_id_of(RECORD)
TASK: Final = EventId(b"\x11" * 32)
CANDIDATE: Final = EventId(b"\x22" * 32)
RESULT: Final = EventId(b"\x33" * 32)
DECISION: Final = EventId(b"\x44" * 32)

VALUES: Final[dict[str, Value]] = {
    "0": 0,
    "23": 23,
    "24": 24,
    "255": 255,
    "256": 256,
    "65536": 65_536,
    "4294967296": 4_294_967_296,
    "9007199254740991": 2**53 - 1,
    "false": False,
    "true": True,
    '""': "",
    '"é"': "é",
    "h''": b"",
    "h'0102'": b"\x01\x02",
    "[]": [],
    "[1, [true]]": [1, [True]],
    "{}": {},
    '{"b": 1, "aa": 2, "é": 3}': {"é": 3, "aa": 2, "b": 1},
}
"""Diagnostic notation (RFC 8949, section 8) → value."""

REFUSED: Final = {
    "trailing bytes": "8001",
    "integer not in its shortest form": "1801",
    "length not in its shortest form": "5801ff",
    "indefinite length": "9fff",
    "the same key twice": "a2616101616102",
    "keys out of order": "a2616201616101",
    "longer key before a shorter one": "a262616101616202",
    "key that is not text": "a10102",
    "null": "f6",
    "float": "f93c00",
    "negative integer": "20",
    "2**53": "1b0020000000000000",
    "text with U+0000": "6100",
    "text that is not UTF-8": "61ff",
    "tag": "c16161",
    "shared value": "d81c81d81d00",
    "17 nested arrays": "81" * 16 + "80",
}

TEXTS: Final[dict[str, object]] = {
    "sorted": {"b": 1, "a": [True, None]},
    "numbers": [1.0, 0.1, 1e21, 1e-7, -0.0, 9007199254740991],
    "escapes": 'a\n"\\\x01é😀',
}


def vectors() -> dict[str, object]:
    """Return all vectors as a JSON document; byte strings are hex."""
    return {
        "about": (
            "Golden vectors of wattswarm/1, made by scripts/vectors; bytes.md explains them. "
            "Byte strings are hex."
        ),
        "identity": {"seed": KEY.seed.hex(), "node_id": KEY.node_id.hex()},
        "canonical": [
            {"value": shown, "cbor": canonical.encode(value).hex()}
            for shown, value in VALUES.items()
        ],
        "refused": [
            {"what": what, "cbor": hexes, "code": _refusal(hexes)}
            for what, hexes in REFUSED.items()
        ],
        "json": [
            {"what": what, "value": value, "text": json_text.write(value)}
            for what, value in TEXTS.items()
        ],
        "policies": _policies(),
        "bindings": _bindings(),
        "governance": _governance(),
        "contract": _contract(),
        "events": [_event(name, event) for name, event in _events().items()],
        "signed": _signed(),
        "vote": _vote(),
        "possession": _possession(),
        "decider_rank": {
            "task": TASK.hex(),
            "node": KEY.node_id.hex(),
            "rank": choice.decider_rank(TASK, KEY.node_id).hex(),
        },
        "chain": {
            "event_ids": [TASK.hex(), CANDIDATE.hex()],
            "values": [value.hex() for value in chain.links(chain.START, [TASK, CANDIDATE])],
        },
        "archive": _archive(),
    }


def text() -> str:
    """Return what stands in the file."""
    return json.dumps(vectors(), indent=2, ensure_ascii=False) + "\n"


def _refusal(hexes: str) -> str:
    try:
        canonical.decode(bytes.fromhex(hexes), bytes_max=100)
    except Malformed as error:
        return error.code
    raise AssertionError(hexes)


def _policies() -> list[object]:
    return [
        {
            "id": each.id,
            "version": each.version,
            "params_schema": json_text.write(each.params_schema),
            "reason_codes": [int(code) for code in each.reason_codes],
            "rule": each.rule,
            "hash": each.name.hash.hex(),
        }
        for each in policy.BUILTIN.values()
    ]


def _bindings() -> list[object]:
    bound = (
        policy.bind(policy.SCHEMA_ONLY),
        policy.bind(policy.CROSSCHECK, '{"min_score_bp":8500}'),
    )
    return [
        {"id": each.id, "version": each.version, "params": each.params, "hash": each.hash.hex()}
        for each in bound
    ]


def _governance() -> dict[str, object]:
    return {
        "local": _record(RECORD, NETWORK),
        "open": _record(*_open_network()),
        "successor": {
            **_content(_successor()),
            "network_id": NETWORK,
            "signature": governance.sign(NETWORK, _successor(), KEY).hex(),
        },
    }


def _open_network() -> tuple[version.Version, str]:
    record = version.genesis(
        KEY.node_id,
        admission=version.Admission.OPEN,
        open_roles=[version.Role.PROPOSER, version.Role.VERIFIER],
        members={OTHER.node_id: frozenset({version.Role.FINALIZER})},
        effective_at=NOW_MS,
    )
    return record, version.network_id_of(record)


def _successor() -> version.Version:
    return version.successor(RECORD, params={"settle_ms": 2_000}, effective_at=NOW_MS)


def _content(of: version.Version) -> dict[str, object]:
    return {"content": canonical.encode(version.to_payload(of)).hex(), "id": of.id.hex()}


def _record(record: version.Version, network_id: str) -> dict[str, object]:
    return {**_content(record), "network_id": network_id}


def _sample() -> contract.Contract:
    document = {
        "name": "a golden task",
        "task_type": "summarize",
        "inputs": {"text": "Words, words, words."},
        "output_schema": {"type": "object", "required": ["answer"]},
        "expires_in_ms": 60_000,
    }
    made = contract.resolve(
        document, network_id=NETWORK, pin=RECORD, created_at=NOW_MS, creator=KEY.node_id
    )
    assert isinstance(made, contract.Contract), made
    return made


def _contract() -> dict[str, object]:
    return {"cbor": canonical.encode(contract.to_payload(_sample())).hex()}


def _events() -> dict[str, Event]:
    update = governance.draft_update(RECORD, {}, NOW_MS)
    created = _draft(
        "TASK_CREATED",
        {"pin": RECORD.id, "contract": contract.to_payload(_sample())},
        created_at=NOW_MS + 1,
    )
    first = created.sign(NETWORK, KEY)
    claimed = _draft(
        "TASK_CLAIMED",
        {
            "role": "propose",
            "attempt": 1,
            "executor": "reference",
            "lease_until": NOW_MS + 30_000,
            "pin": RECORD.id,
        },
        created_at=NOW_MS + 2,
        task_id=first.event_id,
    )
    return {
        "genesis": update.sign(NETWORK, KEY),
        "task": first,
        "claim": claimed.sign(NETWORK, KEY),
    }


def _draft(
    kind: str,
    payload: dict[str, Value],
    *,
    created_at: int,
    task_id: EventId | None = None,
) -> Draft:
    return Draft(
        kind=kind,
        scope="global",
        lane_class=LaneClass.WORK,
        task_id=task_id,
        epoch=1,
        created_at=created_at,
        payload=payload,
    )


def _event(name: str, event: Event) -> dict[str, object]:
    return {
        "name": name,
        "kind": event.kind,
        "body": event.body.hex(),
        "event_id": event.event_id.hex(),
        "signature": event.signature.hex(),
        "wire": event.to_wire().hex(),
    }


def _archive() -> dict[str, object]:
    wires = [each.to_wire() for each in _events().values()]
    writer = ArchiveWriter(NETWORK)
    header, body, trailer = writer.begin(), writer.add(wires), writer.end()
    content = header + body + trailer
    refused = {
        "no header": body + trailer,
        "header of another version": header.replace(b"archive/1", b"archive/2") + trailer,
        "an event that is text": header + body + b"\x64text" + trailer,
        "an event of three items": header + b"\x83" + body[1:] + trailer,
        "an event of unknown length": header + b"\x82\x5f" + trailer,
        "cut within an event": content[: len(header) + 100],
        "no trailer": header + body,
        "something after the trailer": content + b"\x00",
    }
    return {
        "header": header.hex(),
        "events": list(_events()),
        "trailer": trailer.hex(),
        "blake3": artifact_digest(content),
        "refused": [
            {"what": what, "archive": made.hex(), "code": _archive_refusal(made)}
            for what, made in refused.items()
        ],
    }


def _archive_refusal(made: bytes) -> str:
    try:
        archive.read(made)
    except Malformed as error:
        return error.code
    raise AssertionError(made.hex())


def _signed() -> list[object]:
    label = Label(1, RECORD.id)
    ends: list[Value] = [NETWORK, TASK, 1, RECORD.id, RECORD.id]
    stop = Control(ControlWord.STOPPED, 1, "no longer needed")
    messages = {
        "finality": finality.finality_message(NETWORK, TASK, label, CANDIDATE, DECISION),
        "governance": governance.signed_message(NETWORK, _successor()),
        "epoch end": message(Domain.EPOCH_END, ends),
        "control": control.control_message(NETWORK, TASK, stop),
    }
    return [
        {"what": what, "message": signed.hex(), "signature": KEY.sign(signed).hex()}
        for what, signed in messages.items()
    ]


def _vote() -> dict[str, object]:
    subject = Subject(Label(1, RECORD.id), 1, CANDIDATE)
    bound = vote.bound_fields(NETWORK, TASK, subject, KEY.node_id, RESULT)
    salt = vote.vote_salt(KEY.seed, bound, Ballot.APPROVE)
    return {
        "network_id": NETWORK,
        "task": TASK.hex(),
        "epoch": 1,
        "attempt": 1,
        "candidate": CANDIDATE.hex(),
        "voter": KEY.node_id.hex(),
        "result": RESULT.hex(),
        "vote": Ballot.APPROVE.value,
        "salt": salt.hex(),
        "commit_hash": vote.commit_hash(bound, Ballot.APPROVE, salt).hex(),
    }


def _possession() -> dict[str, object]:
    body = b"the evidence"
    digest = artifact_digest(body)
    reference = artifact.ArtifactRef(digest=digest, size_bytes=len(body), mime="text/plain")
    proof: Digest = evidence.possession_proof(KEY.node_id, CANDIDATE, [body])
    return {
        "body": body.hex(),
        "reference": canonical.encode(reference.to_payload()).hex(),
        "digest": digest,
        "verifier": KEY.node_id.hex(),
        "candidate": CANDIDATE.hex(),
        "proof": proof.hex(),
    }


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
