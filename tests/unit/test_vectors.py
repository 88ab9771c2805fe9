"""The golden vectors hold, and need none of our code: CBOR, BLAKE3 and Ed25519 are enough."""

import json
from typing import Any

import cbor2
import pytest
from blake3 import blake3
from nacl.signing import SigningKey, VerifyKey

from tests.support import vectors as made
from wattswarm.kernel import archive, canonical, event, json_text
from wattswarm.kernel.errors import Malformed

GOLDEN: dict[str, Any] = json.loads(made.FILE.read_text(encoding="utf-8"))
NODE = bytes.fromhex(GOLDEN["identity"]["node_id"])


def derived(purpose: str, *parts: bytes) -> str:
    """Return the hex of a hash in derive-key mode."""
    return blake3(b"".join(parts), derive_key_context=f"wattswarm 2026 {purpose} v1").hexdigest()


def cbor(value: Any) -> bytes:
    return cbor2.dumps(value, canonical=True)


def check_signature(message: bytes, signature: str) -> None:
    VerifyKey(NODE).verify(message, bytes.fromhex(signature))


def test_the_file_is_what_the_code_makes() -> None:
    assert made.text() == made.FILE.read_text(encoding="utf-8"), "run scripts/vectors and look why"


def test_the_node_id_is_the_public_key_of_the_seed() -> None:
    seed = bytes.fromhex(GOLDEN["identity"]["seed"])
    assert bytes(SigningKey(seed).verify_key) == NODE
    assert NODE.hex() == "fd1724385aa0c75b64fb78cd602fa1d991fdebf76b13c58ed702eac835e9f618"


@pytest.mark.parametrize("vector", GOLDEN["canonical"], ids=lambda vector: vector["value"])
def test_canonical_values(vector: dict[str, str]) -> None:
    encoded = bytes.fromhex(vector["cbor"])
    assert cbor(cbor2.loads(encoded)) == encoded
    assert canonical.encode(canonical.decode(encoded, bytes_max=100)) == encoded


@pytest.mark.parametrize("vector", GOLDEN["refused"], ids=lambda vector: vector["what"])
def test_refused_encodings(vector: dict[str, str]) -> None:
    with pytest.raises(Malformed) as refused:
        canonical.decode(bytes.fromhex(vector["cbor"]), bytes_max=100)
    assert refused.value.code == vector["code"]


@pytest.mark.parametrize("vector", GOLDEN["json"], ids=lambda vector: vector["what"])
def test_json_texts(vector: dict[str, Any]) -> None:
    assert json_text.write(vector["value"]) == vector["text"]
    assert json.loads(vector["text"]) == vector["value"]


@pytest.mark.parametrize("vector", GOLDEN["events"], ids=lambda vector: vector["name"])
def test_events(vector: dict[str, str]) -> None:
    body = bytes.fromhex(vector["body"])
    fields = cbor2.loads(body)
    assert cbor(fields) == body
    assert fields["event_kind"] == vector["kind"]
    assert fields["author_node_id"] == NODE
    assert derived("event id", body) == vector["event_id"]
    check_signature(
        b"wattswarm.event.v1\0" + bytes.fromhex(vector["event_id"]), vector["signature"]
    )
    assert cbor([body, bytes.fromhex(vector["signature"])]).hex() == vector["wire"]
    assert event.decode(bytes.fromhex(vector["wire"])).is_genuine()


@pytest.mark.parametrize("name", ["local", "open", "successor"])
def test_governance_versions(name: str) -> None:
    vector = GOLDEN["governance"][name]
    content = bytes.fromhex(vector["content"])
    assert cbor(cbor2.loads(content)) == content
    assert derived("governance", content) == vector["id"]


def test_network_ids() -> None:
    governance = GOLDEN["governance"]
    content = bytes.fromhex(governance["open"]["content"])
    assert governance["open"]["network_id"] == "net:" + derived("network id", content)
    assert governance["local"]["network_id"] == f"local:{NODE.hex()}"


def test_a_successor_is_signed_over_network_predecessor_and_id() -> None:
    vector = GOLDEN["governance"]["successor"]
    content = cbor2.loads(bytes.fromhex(vector["content"]))
    assert content["prev"].hex() == GOLDEN["governance"]["local"]["id"]
    fields = [vector["network_id"], content["prev"], bytes.fromhex(vector["id"])]
    check_signature(b"wattswarm.governance.v1\0" + cbor(fields), vector["signature"])


def test_policies_and_bindings() -> None:
    hashes = {}
    for vector in GOLDEN["policies"]:
        specification = {key: value for key, value in vector.items() if key != "hash"}
        assert derived("policy", cbor(specification)) == vector["hash"]
        hashes[vector["id"], vector["version"]] = bytes.fromhex(vector["hash"])
    for vector in GOLDEN["bindings"]:
        specification = hashes[vector["id"], vector["version"]]
        bound = {"specification": specification, "params": vector["params"]}
        assert derived("policy", cbor(bound)) == vector["hash"]


def test_a_genesis_record_registers_the_policies() -> None:
    content = cbor2.loads(bytes.fromhex(GOLDEN["governance"]["local"]["content"]))
    registered = {each["id"]: each["hash"].hex() for each in content["policies"]}
    assert registered == {each["id"]: each["hash"] for each in GOLDEN["policies"]}


def test_the_contract_stands_in_the_event_that_creates_the_task() -> None:
    (created,) = (each for each in GOLDEN["events"] if each["kind"] == "TASK_CREATED")
    payload = cbor2.loads(bytes.fromhex(created["body"]))["payload"]
    assert cbor(payload["contract"]).hex() == GOLDEN["contract"]["cbor"]
    assert payload["pin"].hex() == GOLDEN["governance"]["local"]["id"]


@pytest.mark.parametrize("vector", GOLDEN["signed"], ids=lambda vector: vector["what"])
def test_signed_messages(vector: dict[str, str]) -> None:
    message = bytes.fromhex(vector["message"])
    domain, _, fields = message.partition(b"\0")
    assert domain.decode() == f"wattswarm.{vector['what'].replace(' ', '-')}.v1"
    assert cbor(cbor2.loads(fields)) == fields
    check_signature(message, vector["signature"])


def test_a_vote_is_bound_to_everything_that_it_depends_on() -> None:
    vector = GOLDEN["vote"]
    bound = [
        vector["network_id"],
        bytes.fromhex(vector["task"]),
        vector["epoch"],
        vector["attempt"],
        bytes.fromhex(vector["candidate"]),
        bytes.fromhex(vector["voter"]),
        bytes.fromhex(vector["result"]),
        vector["vote"],
    ]
    seed = bytes.fromhex(GOLDEN["identity"]["seed"])
    salt = blake3(b"wattswarm 2026 vote salt v1\0" + cbor(bound), key=seed).hexdigest()
    assert salt == vector["salt"]
    sealed = derived("vote commit", cbor([*bound, bytes.fromhex(salt)]))
    assert sealed == vector["commit_hash"]


def test_possession_is_proved_for_one_verifier_and_one_candidate() -> None:
    vector = GOLDEN["possession"]
    body = bytes.fromhex(vector["body"])
    parts = (bytes.fromhex(vector["verifier"]), bytes.fromhex(vector["candidate"]), body)
    assert derived("possession", *parts) == vector["proof"]
    assert vector["digest"] == f"blake3:{blake3(body).hexdigest()}"
    reference = cbor2.loads(bytes.fromhex(vector["reference"]))
    assert reference == {"digest": vector["digest"], "size_bytes": len(body), "mime": "text/plain"}


def test_deciders_are_ranked_by_task_and_node() -> None:
    vector = GOLDEN["decider_rank"]
    parts = (bytes.fromhex(vector["task"]), bytes.fromhex(vector["node"]))
    assert derived("decider rank", *parts) == vector["rank"]


def test_an_archive_is_a_header_events_and_a_trailer_over_all_before_it() -> None:
    vector = GOLDEN["archive"]
    wires = {each["name"]: bytes.fromhex(each["wire"]) for each in GOLDEN["events"]}
    body = bytes.fromhex(vector["header"]) + b"".join(wires[name] for name in vector["events"])
    network_id = GOLDEN["governance"]["local"]["network_id"]
    header = {"format": "wattswarm-archive/1", "network_id": network_id}
    assert cbor(header).hex() == vector["header"]
    found = bytes.fromhex(derived("archive", body))
    assert cbor({"hash": found, "events": len(vector["events"])}).hex() == vector["trailer"]
    content = body + bytes.fromhex(vector["trailer"])
    assert vector["blake3"] == f"blake3:{blake3(content).hexdigest()}"
    events, whole = archive.read(content)
    assert list(events) == [wires[name] for name in vector["events"]]
    assert whole.is_intact


@pytest.mark.parametrize("vector", GOLDEN["archive"]["refused"], ids=lambda vector: vector["what"])
def test_refused_archives(vector: dict[str, str]) -> None:
    with pytest.raises(Malformed) as refused:
        archive.read(bytes.fromhex(vector["archive"]))
    assert refused.value.code == vector["code"]


def test_the_chain_begins_with_zeros() -> None:
    value = bytes(32)
    vector = GOLDEN["chain"]
    for name, expected in zip(vector["event_ids"], vector["values"], strict=True):
        value = bytes.fromhex(derived("chain", value, bytes.fromhex(name)))
        assert value.hex() == expected
