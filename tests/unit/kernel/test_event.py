"""An event is exactly its keys; its id is the hash of its body, and signed by its author."""

import attrs
import cbor2
import pytest

from wattswarm.kernel import canonical, event
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import Draft, LaneClass
from wattswarm.kernel.signature import KeyPair

KEY = KeyPair.from_seed(b"\x01" * 32)
NETWORK = f"local:{KEY.node_id.hex()}"
DRAFT = Draft(
    kind="TASK_ERROR",
    scope="group:readers",
    lane_class=LaneClass.WORK,
    task_id=event.event_id(b"a task"),
    epoch=1,
    created_at=1_790_000_000_000,
    payload={"reason": "timeout"},
)
SIGNED = DRAFT.sign(NETWORK, KEY)


def refusal(**changes: Value | None) -> Malformed:
    """Return why the event with these changes is refused; None leaves a key out."""
    body = cbor2.loads(SIGNED.body) | changes
    kept = {key: value for key, value in body.items() if value is not None}
    with pytest.raises(Malformed) as refused:
        event.decode_body(cbor2.dumps(kept, canonical=True), SIGNED.signature)
    return refused.value


def test_a_signed_draft_is_read_back_as_it_was() -> None:
    read = event.decode(SIGNED.to_wire(), network_id=NETWORK)
    assert attrs.asdict(read) == attrs.asdict(SIGNED)
    assert read.is_genuine()
    assert read.event_id == event.event_id(SIGNED.body)


def test_an_unsigned_draft_has_the_id_that_it_will_have() -> None:
    assert DRAFT.unsigned(NETWORK, KEY.node_id).event_id == SIGNED.event_id
    assert DRAFT.body(NETWORK, KEY.node_id) == SIGNED.body
    assert not DRAFT.unsigned(NETWORK, KEY.node_id).is_genuine()


def test_a_change_of_one_bit_is_noticed() -> None:
    body = SIGNED.body.replace(b"timeout", b"timeouu")
    assert not event.decode_body(body, SIGNED.signature).is_genuine()
    assert not event.decode_body(SIGNED.body, bytes(64)).is_genuine()


def test_a_signature_of_another_node_is_not_genuine() -> None:
    other = KeyPair.from_seed(b"\x02" * 32)
    signature = other.sign(b"wattswarm.event.v1\0" + SIGNED.event_id)
    assert not event.decode_body(SIGNED.body, signature).is_genuine()


@pytest.mark.parametrize(
    "key",
    [
        "protocol_version",
        "network_id",
        "scope",
        "class",
        "event_kind",
        "author_node_id",
        "epoch",
        "created_at",
        "payload",
    ],
)
def test_every_key_must_be_there(key: str) -> None:
    refused = refusal(**{key: None})
    assert refused.code == "bad_keys"
    assert key in refused.message


def test_other_keys_are_refused() -> None:
    assert refusal(previous=b"x").code == "bad_keys"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("protocol_version", "wattswarm/2"),
        ("network_id", "a network"),
        ("network_id", ""),
        ("scope", "planet:mars"),
        ("scope", "group:"),
        ("scope", "group:a:b"),
        ("scope", "global\n"),
        ("class", "gossip"),
        ("event_kind", "task_created"),
        ("event_kind", "A" * 65),
        ("author_node_id", b"x" * 31),
        ("author_node_id", "x" * 32),
        ("task_id", b""),
        ("epoch", 2**31),
        ("epoch", True),
        ("created_at", 2**48),
        ("payload", []),
    ],
)
def test_every_field_has_its_form(key: str, value: Value) -> None:
    refused = refusal(**{key: value})
    assert (refused.code, refused.path) == ("bad_field", f"$.{key}")


def test_an_event_of_another_network_is_refused() -> None:
    with pytest.raises(Malformed) as refused:
        event.decode(SIGNED.to_wire(), network_id="net:other")
    assert refused.value.code == "wrong_network"


@pytest.mark.parametrize("wire", [[], [b"x"], [b"x", b"y", b"z"], {"a": b"b"}, [b"x", "y"]])
def test_a_wire_form_is_a_pair_of_byte_strings(wire: Value) -> None:
    with pytest.raises(Malformed) as refused:
        event.decode(canonical.encode(wire))
    assert refused.value.code == "not_an_event"


def test_a_signature_has_sixty_four_bytes() -> None:
    with pytest.raises(Malformed) as refused:
        event.decode(cbor2.dumps([SIGNED.body, b"x" * 63]))
    assert refused.value.code == "bad_signature"


def test_a_body_is_at_most_64_kib() -> None:
    room = 65_536 - len(attrs.evolve(DRAFT, payload={"x": b""}).body(NETWORK, KEY.node_id))
    fits = attrs.evolve(DRAFT, payload={"x": b"a" * (room - 2)})
    assert len(fits.body(NETWORK, KEY.node_id)) == 65_536
    assert event.decode(fits.sign(NETWORK, KEY).to_wire()).is_genuine()
    with pytest.raises(Malformed) as refused:
        attrs.evolve(DRAFT, payload={"x": b"a" * (room - 1)}).body(NETWORK, KEY.node_id)
    assert refused.value.code == "too_large"


def test_a_task_belongs_to_itself() -> None:
    created = attrs.evolve(DRAFT, kind="TASK_CREATED", task_id=None).sign(NETWORK, KEY)
    assert created.group_task == created.event_id
    assert SIGNED.group_task == DRAFT.task_id


def test_what_was_accepted_before_is_read_again_as_it_was() -> None:
    wire = SIGNED.to_wire()
    assert attrs.asdict(event.decode_again(wire, network_id=NETWORK)) == attrs.asdict(SIGNED)
    restored = event.restore(SIGNED.body, SIGNED.signature)
    assert attrs.asdict(restored) == attrs.asdict(SIGNED)
    with pytest.raises(Malformed) as refused:
        event.decode_again(wire, network_id="net:" + "0" * 64)
    assert refused.value.code == "wrong_network"


def test_a_body_is_a_map() -> None:
    with pytest.raises(Malformed) as refused:
        event.decode_body(cbor2.dumps([1]), SIGNED.signature)
    assert refused.value.code == "not_an_event"
