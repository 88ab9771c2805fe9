"""Every hash and signature says what it is of, and the document lists them all."""

from pathlib import Path

import pytest

from wattswarm.kernel.hashing import Context, artifact_digest, digest, keyed
from wattswarm.kernel.signature import Domain, KeyPair, is_valid, message

DOCUMENT = (Path(__file__).parents[3] / "docs" / "protocol" / "bytes.md").read_text("utf-8")


@pytest.mark.parametrize("name", [*Context, *Domain])
def test_the_document_names_every_context_and_domain(name: str) -> None:
    assert f"`{name}`" in DOCUMENT


def test_a_hash_of_one_thing_is_not_a_hash_of_another() -> None:
    assert (
        len({digest(context, b"x") for context in Context} | {keyed(bytes(32), b"x")})
        == len(Context) + 1
    )
    assert artifact_digest(b"x").removeprefix("blake3:") != digest(Context.DIGEST, b"x").hex()


def test_parts_are_joined_as_they_are() -> None:
    assert digest(Context.CHAIN, b"a", b"bc") == digest(Context.CHAIN, b"abc")


def test_a_signature_is_for_one_domain_and_one_message() -> None:
    key = KeyPair.from_seed(b"\x01" * 32)
    signature = key.sign(message(Domain.FINALITY, [1, b"x"]))
    assert is_valid(key.node_id, message(Domain.FINALITY, [1, b"x"]), signature)
    assert not is_valid(key.node_id, message(Domain.GOVERNANCE, [1, b"x"]), signature)
    assert not is_valid(key.node_id, message(Domain.FINALITY, [1, b"y"]), signature)


@pytest.mark.parametrize(("node", "signature"), [(b"", bytes(64)), (bytes(32), b""), (b"x", b"y")])
def test_bytes_of_another_size_are_no_signature(node: bytes, signature: bytes) -> None:
    assert not is_valid(node, b"message", signature)


def test_the_secret_half_is_not_shown() -> None:
    assert "seed" not in repr(KeyPair.from_seed(b"\x01" * 32))
