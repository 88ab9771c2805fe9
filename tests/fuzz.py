"""Feed every decoder with near-valid inputs: each ends in a value or in one of its typed errors.

    python -m tests.fuzz --inputs 100000 --seed 7 [--decoder event]

An input is a valid seed, damaged: in its bytes, or in the tree that it encodes. Input n of a seed
is the same in every run, so that a failure is replayed with the command that is printed beside it.

To add a decoder, add a line to `DECODERS`.
"""

import argparse
import json
import re
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import attrs
import cbor2

from tests.support import executor_seeds, gossip_vectors, sync_messages
from wattswarm.actors.dispatch.stored_answer import (
    Finding,
    Proposal,
    read_finding,
    read_proposal,
)
from wattswarm.actors.messages import Append, Ingest, Ingested, Refusal, TasksChanged
from wattswarm.actors.runtime.errors import BadWire
from wattswarm.actors.runtime.frame import FrameParser, FrameType, encode_frame
from wattswarm.actors.runtime.message import decode, encode
from wattswarm.config.errors import ConfigError
from wattswarm.config.load import merge, read_content
from wattswarm.kernel import (
    archive,
    artifact,
    canonical,
    contract,
    event,
    governance,
    json_text,
    policy,
)
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import Draft, LaneClass
from wattswarm.kernel.ids import EventId
from wattswarm.kernel.limits import EVENT_BODY_BYTES_MAX
from wattswarm.kernel.payloads import Status
from wattswarm.kernel.schema import Schema
from wattswarm.kernel.signature import KeyPair
from wattswarm.transport.proto import discovery, publication
from wattswarm.transport.proto.blobs import bao, request
from wattswarm.transport.proto.blobs.ranges import ChunkRanges
from wattswarm.transport.proto.blobs.request import Get
from wattswarm.transport.proto.blobs.tree import hash_body
from wattswarm.transport.proto.gossip import messages as gossip_messages
from wattswarm.transport.proto.sync import frames, messages

SLOW_S = 2.0
"""An input that takes longer than this is reported as a failure: work must follow size."""

KEY = KeyPair.from_seed(b"\x09" * 32)
RECORD = governance.local_genesis(KEY.node_id)
NETWORK = governance.network_id_of(RECORD)
NOW_MS = 1_790_000_000_000


# --- damaging bytes -----------------------------------------------------------------------------

ODD_BYTES = (
    b"\x00",
    b"\xff",
    b"\x9f",
    b"\xbf",
    b"\xd8\x1c",
    b"\xd8\x1d\x00",
    b"\xd9\x01\x00",
    b"\xf6",
    b"\xf9\x7e\x00",
    b"\x1b\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x5b\x7f\xff\xff\xff\xff\xff\xff\xff",
    b"\x81" * 40,
    b"[" * 2_000,
    b'"\\ud800"',
    b"1e999",
    b"-0",
)


def damage_bytes(random: Random, seed: bytes) -> bytes:
    """Return `seed` after one to four blows."""
    damaged = bytearray(seed)
    for _ in range(random.randint(1, 4)):
        random.choice(BLOWS)(random, damaged)
    return bytes(damaged)


def _flip(random: Random, target: bytearray) -> None:
    if target:
        target[random.randrange(len(target))] ^= 1 << random.randrange(8)


def _replace(random: Random, target: bytearray) -> None:
    if target:
        target[random.randrange(len(target))] = random.randrange(256)


def _insert(random: Random, target: bytearray) -> None:
    at = random.randint(0, len(target))
    target[at:at] = random.choice(ODD_BYTES)


def _drop(random: Random, target: bytearray) -> None:
    at = random.randint(0, len(target))
    del target[at : at + random.randint(1, 40)]


def _repeat(random: Random, target: bytearray) -> None:
    at = random.randint(0, len(target))
    target[at:at] = target[at : at + random.randint(1, 60)]


def _cut(random: Random, target: bytearray) -> None:
    del target[random.randint(0, len(target)) :]


BLOWS = (_flip, _replace, _insert, _drop, _repeat, _cut)


# --- damaging trees -----------------------------------------------------------------------------

ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    float("nan"),
    2**53,
    2**80,
    "",
    "\0",
    "\u00e9\U0001f600",
    "x" * 5_000,
    "global",
    b"",
    b"z" * 32,
    b"z" * 64,
    [],
    {},
    [[]] * 5_000,
    [[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]],
    {"a": {"b": [1, {"c": b"d"}]}},
)


def damage_tree(random: Random, tree: Any) -> Any:
    """Return a tree in which something was replaced, left out, added or doubled."""
    if isinstance(tree, dict) and tree and random.random() < 0.9:
        return _damage_map(random, dict(tree))
    if isinstance(tree, list) and tree and random.random() < 0.9:
        return _damage_array(random, list(tree))
    return random.choice(ODD_VALUES)


def _damage_map(random: Random, tree: dict[str, Any]) -> dict[str, Any]:
    key = random.choice(sorted(tree, key=str))
    match random.randrange(8):
        case 0:
            del tree[key]
        case 1:
            tree[random.choice(["id", "x", "", "é", key + "s", key[:-1]])] = tree[key]
        case 2:
            tree[key] = tree[random.choice(sorted(tree, key=str))]
        case _:
            tree[key] = damage_tree(random, tree[key])
    return tree


def _damage_array(random: Random, tree: list[Any]) -> list[Any]:
    at = random.randrange(len(tree))
    match random.randrange(6):
        case 0:
            del tree[at]
        case 1:
            tree.append(tree[at])
        case 2:
            tree.reverse()
        case _:
            tree[at] = damage_tree(random, tree[at])
    return tree


def damage_cbor(random: Random, seed: bytes) -> bytes:
    """Return damaged CBOR, half of the time well formed and in canonical order."""
    if random.random() < 0.4:
        return damage_bytes(random, seed)
    return _dumps(random, damage_tree(random, cbor2.loads(seed)), seed)


def damage_event(random: Random, seed: bytes) -> bytes:
    """Return a damaged event: its wire form, or its body with the old signature."""
    if random.random() < 0.3:
        return damage_cbor(random, seed)
    body, signature = cbor2.loads(seed)
    if random.random() < 0.3:
        return cbor2.dumps([damage_bytes(random, body), signature])
    return cbor2.dumps([_dumps(random, damage_tree(random, cbor2.loads(body)), body), signature])


def _dumps(random: Random, tree: Any, otherwise: bytes) -> bytes:
    try:
        return cbor2.dumps(tree, canonical=random.random() < 0.9)
    except (cbor2.CBORError, ValueError):  # what cannot be encoded is damaged in its bytes instead
        return damage_bytes(random, otherwise)


def damage_json(random: Random, seed: bytes) -> bytes:
    """Return damaged JSON, half of the time well formed."""
    if random.random() < 0.4:
        return damage_bytes(random, seed)
    tree = damage_tree(random, json.loads(seed))
    return json.dumps(tree, default=lambda odd: odd.hex()).encode(errors="surrogatepass")


# --- the decoders -------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Decoder:
    """A decoder, valid inputs to begin with, how to damage one, and the errors it may raise."""

    decode: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]
    damage: Callable[[Random, bytes], bytes]
    errors: tuple[type[Exception], ...] = (Malformed,)


def sample_contract() -> contract.Contract:
    """Return the contract of the sample document."""
    resolved = contract.resolve(
        contract.sample(),
        network_id=NETWORK,
        pin=RECORD,
        created_at=NOW_MS,
        creator=KEY.node_id,
    )
    assert isinstance(resolved, contract.Contract), resolved
    return resolved


def task_event() -> event.Event:
    """Return an event that creates a task."""
    payload = {"pin": RECORD.id, "contract": contract.to_payload(sample_contract())}
    draft = Draft(
        kind="TASK_CREATED",
        scope="group:readers",
        lane_class=LaneClass.WORK,
        task_id=None,
        epoch=1,
        created_at=NOW_MS,
        payload=payload,
    )
    return draft.sign(NETWORK, KEY)


def governance_events() -> list[event.Event]:
    """Return events that carry a genesis record, a successor and an admission."""
    following = governance.successor(RECORD, effective_at=NOW_MS)
    signed = {KEY.node_id: governance.sign(NETWORK, following, KEY)}
    drafts = (
        governance.draft_update(RECORD, {}, NOW_MS),
        governance.draft_update(following, signed, NOW_MS + 1),
        governance.draft_admission(KEY.node_id, NOW_MS + 2),
    )
    return [draft.sign(NETWORK, KEY) for draft in drafts]


def event_seeds() -> list[bytes]:
    """Return the wire forms of valid events of several kinds."""
    return [one.to_wire() for one in (task_event(), *governance_events())]


def _decode_event(wire: bytes) -> object:
    return event.decode(wire, network_id=NETWORK)


def _decode_governance(wire: bytes) -> object:
    """Also what an event means to governance, which no authentic event may upset."""
    known = governance.Governance(NETWORK)
    for one in governance_events()[:1]:
        known.add(one)
    damaged = event.decode(wire)
    known.add(damaged)
    return known.rows(), known.standings(), known.head()


def _decode_contract(data: bytes) -> object:
    return contract.read(canonical.decode(data, bytes_max=EVENT_BODY_BYTES_MAX))


def _decode_document(data: bytes) -> object:
    document = json_text.parse(data, bytes_max=1_048_576)
    if not isinstance(document, dict):
        raise Malformed(code="bad_json", message="a contract is a JSON object")
    return contract.resolve(
        document, network_id=NETWORK, pin=RECORD, created_at=NOW_MS, creator=KEY.node_id
    )


def _decode_params(data: bytes) -> object:
    text = data.decode(errors="replace").replace("\0", "")
    bound = policy.bind(policy.SCHEMA_THRESHOLDS, text)
    return policy.evaluate(bound, {"answer": 1, "confidence": 0.5}, {"type": "object"})


def _decode_schema(data: bytes) -> object:
    tree = json_text.parse(data, bytes_max=1_048_576)
    if not isinstance(tree, dict):
        raise Malformed(code="bad_json", message="a schema is a JSON object")
    return list(Schema(tree).faults(SCHEMA_SEED)) + list(Schema(tree).faults(tree))


def _decode_sync(wire: bytes) -> object:
    """Read a control stream: what is read of it can be written, and is read alike again."""
    read = [messages.decode(frame) for frame in frames.FrameReader().feed(wire)]
    for message in read:
        assert message is None or messages.decode(messages.encode(message)) == message
    return read


def _sync_seeds() -> list[bytes]:
    return [frames.encode(messages.encode(one)) for one in sync_messages.MESSAGES.values()]


def _decode_gossip(message: bytes) -> object:
    """Read a message, and write what was read: that is read as the same."""
    read = gossip_messages.decode(message)
    assert gossip_messages.decode(gossip_messages.encode(read))
    return read


def _gossip_seeds() -> list[bytes]:
    return [bytes.fromhex(written) for _, written in gossip_vectors.VECTORS]


def _announcements() -> list[bytes]:
    said = discovery.Announcement(
        lan_name="lab",
        network_id=NETWORK,
        genesis=KEY.node_id,
        node=KEY.node_id,
        port=4_001,
        sent_at=NOW_MS,
    )
    return [said.encode(KEY)]


def _publications() -> list[bytes]:
    made = publication.publications(governance_events())
    named = publication.Named((EventId(bytes(32)), EventId(bytes(31) + b"x")))
    return [publication.encode(each, bytes(publication.NONCE_BYTES)) for each in (*made, named)]


def _decode_hello(body: bytes) -> object:
    return messages.decode(frames.Frame(messages.Hello.TYPE, body))


SCHEMA_SEED: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://example.org/s",
    "$defs": {
        "name": {"type": "string", "pattern": "^[a-z]+$", "minLength": 1, "format": "uri"},
        "node": {"$dynamicAnchor": "node", "properties": {"next": {"$dynamicRef": "#node"}}},
    },
    "type": ["object", "null"],
    "required": ["name"],
    "properties": {
        "name": {"$ref": "#/$defs/name"},
        "tags": {"type": "array", "items": {"enum": ["a", 1, None]}, "uniqueItems": True},
        "size": {"type": "integer", "multipleOf": 0.5, "exclusiveMaximum": 10},
        "node": {"$ref": "#/$defs/node"},
    },
    "patternProperties": {"^x-": True},
    "dependentRequired": {"size": ["name"]},
    "if": {"minProperties": 2},
    "then": {"anyOf": [{"required": ["tags"]}, {"not": {"const": {}}}]},
    "unevaluatedProperties": False,
}


def _contract_seeds() -> list[bytes]:
    return [canonical.encode(contract.to_payload(sample_contract()))]


def _document_seeds() -> list[bytes]:
    full = contract.sample() | {
        "policy": {"id": "vp.schema_thresholds.v1", "params": {"min_confidence_bp": 5_000}},
        "max_concurrency": {"verify": 1},
        "settlement": {"authority": KEY.node_id.hex(), "K": 7},
        "lease_ms": 5_000,
        "decider": KEY.node_id.hex(),
        "mode": "continuous",
    }
    return [json.dumps(document).encode() for document in (contract.sample(), full)]


def _artifact_seeds() -> list[bytes]:
    reference = artifact.ArtifactRef(digest="blake3:" + "0" * 64, size_bytes=7, mime="text/plain")
    return [canonical.encode(reference.to_payload())]


# --- between processes, on disk, and from operators ---------------------------------------------


def _messages() -> list[bytes]:
    words = [one.to_wire() for one in governance_events()]
    return [
        encode(Append(events=tuple(words), is_own=True)),
        encode(Ingest(events=tuple(words))),
        encode(Ingested(1, 2, 3, (Refusal(0, "malformed"),))),
        encode(TasksChanged((bytes(32), bytes(32)), 7)),
    ]


def _frames() -> list[bytes]:
    kinds = list(FrameType)
    made = [encode_frame(kind, 3, 9, body) for kind, body in zip(kinds, _messages(), strict=False)]
    return [*made, b"".join(made)]


def _decode_frames(data: bytes) -> object:
    return [decode(frame.body) for frame in FrameParser().feed(data)]


def _decode_config(data: bytes) -> object:
    return merge([read_content(data, Path("config.toml"))])


def _config_seeds() -> list[bytes]:
    default = Path(__file__).parents[1] / "config" / "default.toml"
    return re.split(rb"(?m)^(?=\[)", default.read_bytes())


def _proposals() -> list[bytes]:
    ref = artifact.ArtifactRef(digest="blake3:" + "0" * 64, size_bytes=7, mime="text/plain")
    return [Proposal(output=ref, evidence=(ref,), summary="s").encode()]


def _findings() -> list[bytes]:
    finding = Finding(
        status=Status.PASSED, score_bp=9_000, reason_codes=(100,), provider="p", model="m"
    )
    return [finding.encode()]


BLOB = hash_body([bytes(40_000)])
BLOB_STREAM = b"".join(bao.encode(BLOB.size, BLOB.outboard, lambda _, length: bytes(length)))


def _blob_requests() -> list[bytes]:
    ranges = ChunkRanges.of((1, 3), (9, None))
    return [Get.blob(BLOB.root).encode(), Get.blob(BLOB.root, ranges).encode()]


def _decode_blob(stream: bytes) -> tuple[bao.Piece, ...]:
    decoder = bao.Decoder(BLOB.root)
    pieces = decoder.feed(stream)
    decoder.end()
    return pieces


DECODERS: dict[str, Decoder] = {
    "frame": Decoder(decode=_decode_frames, seeds=_frames, damage=damage_bytes, errors=(BadWire,)),
    "message": Decoder(decode=decode, seeds=_messages, damage=damage_bytes, errors=(BadWire,)),
    "config": Decoder(
        decode=_decode_config, seeds=_config_seeds, damage=damage_bytes, errors=(ConfigError,)
    ),
    "stored_proposal": Decoder(decode=read_proposal, seeds=_proposals, damage=damage_cbor),
    "blob_request": Decoder(decode=request.read, seeds=_blob_requests, damage=damage_bytes),
    "blob_stream": Decoder(decode=_decode_blob, seeds=lambda: [BLOB_STREAM], damage=damage_bytes),
    "stored_finding": Decoder(decode=read_finding, seeds=_findings, damage=damage_cbor),
    "archive": Decoder(
        decode=archive.read,
        seeds=lambda: [archive.archive(NETWORK, [one.to_wire() for one in governance_events()])],
        damage=damage_bytes,
    ),
    "sync": Decoder(decode=_decode_sync, seeds=_sync_seeds, damage=damage_bytes),
    "gossip": Decoder(decode=_decode_gossip, seeds=_gossip_seeds, damage=damage_bytes),
    "announcement": Decoder(
        decode=discovery.Announcement.read, seeds=_announcements, damage=damage_cbor
    ),
    "publication": Decoder(decode=publication.read, seeds=_publications, damage=damage_cbor),
    "hello": Decoder(
        decode=_decode_hello,
        seeds=lambda: [sync_messages.MESSAGES["hello"].encode()],
        damage=damage_cbor,
    ),
    "event": Decoder(decode=_decode_event, seeds=event_seeds, damage=damage_event),
    "governance": Decoder(
        decode=_decode_governance,
        seeds=lambda: [one.to_wire() for one in governance_events()],
        damage=damage_event,
    ),
    "contract": Decoder(decode=_decode_contract, seeds=_contract_seeds, damage=damage_cbor),
    "document": Decoder(decode=_decode_document, seeds=_document_seeds, damage=damage_json),
    "artifact": Decoder(
        decode=lambda data: artifact.read(canonical.decode(data, bytes_max=4_096)),
        seeds=_artifact_seeds,
        damage=damage_cbor,
    ),
    "params": Decoder(
        decode=_decode_params,
        seeds=lambda: [b'{"min_confidence_bp":5000,"max_len":100}'],
        damage=damage_json,
    ),
    "schema": Decoder(
        decode=_decode_schema,
        seeds=lambda: [json.dumps(SCHEMA_SEED).encode()],
        damage=damage_json,
    ),
    "json": Decoder(
        decode=lambda data: json_text.write(json_text.parse(data, bytes_max=1_048_576)),
        seeds=_document_seeds,
        damage=damage_json,
    ),
    **{
        name: Decoder(decode=decode, seeds=seeds, damage=damage_json)
        for name, (decode, seeds) in executor_seeds.JSON_DECODERS.items()
    },
    **{
        name: Decoder(decode=decode, seeds=seeds, damage=damage_bytes)
        for name, (decode, seeds) in executor_seeds.STREAM_DECODERS.items()
    },
}
"""Name → decoder. Each is fed with damaged copies of its seeds, and now and then with a seed."""


# --- running ------------------------------------------------------------------------------------


@attrs.define
class Report:
    """What became of the inputs of one decoder."""

    name: str
    accepted: int = 0
    refused: Counter[str] = attrs.field(factory=Counter[str])
    failures: list[str] = attrs.field(factory=list[str])

    def line(self) -> str:
        """Return one line for people."""
        refused = sum(self.refused.values())
        return (
            f"{self.name}: {self.accepted + refused + len(self.failures)} inputs, "
            f"{self.accepted} accepted, {refused} refused, {len(self.failures)} failures"
        )


def fuzz(name: str, *, inputs: int, seed: int, first: int = 0) -> Report:
    """Return what became of inputs `first` … `first + inputs - 1` of one decoder.

    An input depends on the decoder's name, the seed and its number, and on nothing else.
    """
    decoder = DECODERS[name]
    seeds = list(decoder.seeds())
    report = Report(name)
    for index in range(first, first + inputs):
        random = Random(f"{name}/{seed}/{index}")
        valid = random.choice(seeds)
        data = valid if random.random() < 0.01 else decoder.damage(random, valid)
        _feed(report, decoder, data, f"--decoder {name} --seed {seed} --first {index} --inputs 1")
    return report


def _feed(report: Report, decoder: Decoder, data: bytes, replay: str) -> None:
    started = time.process_time()
    try:
        decoder.decode(data)
    except decoder.errors as error:
        report.refused[getattr(error, "code", type(error).__name__)] += 1
    except Exception as error:  # anything else is what this program looks for
        report.failures.append(f"{type(error).__name__}: {error}\n  python -m tests.fuzz {replay}")
    else:
        report.accepted += 1
    took_s = time.process_time() - started
    if took_s > SLOW_S:
        report.failures.append(f"took {took_s:.1f} s\n  python -m tests.fuzz {replay}")


def main() -> int:
    """Fuzz one decoder or all of them; return how the program should end."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--decoder", choices=sorted(DECODERS), action="append")
    options = parser.parse_args()
    failed = False
    sys.stdout.write(f"seed {options.seed}\n")
    for name in options.decoder or DECODERS:
        report = fuzz(name, inputs=options.inputs, seed=options.seed, first=options.first)
        sys.stdout.write(report.line() + "\n")
        for failure in report.failures[:10]:
            sys.stdout.write(f"  {failure}\n")
        sys.stdout.flush()
        failed = failed or bool(report.failures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
