"""Artifacts on a real disk: whole or not there, checked when read, bounded."""

import fcntl
import os
import stat
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

from wattswarm.kernel.artifact import ArtifactRef
from wattswarm.kernel.hashing import artifact_digest
from wattswarm.store.artifacts import UNFINISHED, ArtifactStore
from wattswarm.store.errors import (
    ArtifactDamaged,
    ArtifactMissing,
    ArtifactTooLarge,
    StoreUnavailable,
)


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore(tmp_path / "artifacts", bytes_max=1_000)


def file_of(store: ArtifactStore, ref: ArtifactRef) -> Path:
    (path,) = store.folder.rglob(ref.digest.removeprefix("blake3:"))
    return path


def files(store: ArtifactStore) -> list[Path]:
    return [path for path in store.folder.rglob("*") if path.is_file()]


def test_artifacts_are_listed_in_pages_by_digest(store: ArtifactStore) -> None:
    assert store.stored(limit=5) == ()
    digests = sorted(store.put(bytes([number]), "x").digest for number in range(40))
    found: list[str] = []
    while page := store.stored(after=found[-1] if found else "", limit=7):
        assert len(page) <= 7
        found += [each.digest for each in page]
    assert found == digests


def test_only_what_is_older_is_removed(store: ArtifactStore) -> None:
    ref = store.put(b"body", "text/plain")
    os.utime(file_of(store, ref), (1_000, 1_000))
    assert not store.remove(ref.digest, before_ms=1_000_000)
    assert store.remove(ref.digest, before_ms=1_000_001)
    assert not store.remove(ref.digest, before_ms=1_000_001)
    assert not store.has(ref)


def test_putting_a_body_again_makes_it_young(store: ArtifactStore) -> None:
    ref = store.put(b"body", "text/plain")
    os.utime(file_of(store, ref), (1_000, 1_000))
    store.put(b"body", "text/plain")
    assert not store.remove(ref.digest, before_ms=1_000_001)
    assert store.get(ref) == b"body"


def test_nothing_is_removed_while_something_is_put(store: ArtifactStore) -> None:
    ref = store.put(b"body", "text/plain")
    os.utime(file_of(store, ref), (1_000, 1_000))
    with holding(store.folder):
        assert not store.remove(ref.digest, before_ms=2_000_000)
    assert store.remove(ref.digest, before_ms=2_000_000)


@contextmanager
def holding(folder: Path) -> Generator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def test_a_damaged_body_is_told_and_left_where_it_is(store: ArtifactStore) -> None:
    ref = store.put(b"body", "text/plain")
    assert store.is_sound(ref.digest)
    file_of(store, ref).write_bytes(b"bodies")
    assert not store.is_sound(ref.digest)
    assert store.described(ref.digest) is not None


def test_a_body_comes_back_under_the_name_of_its_content(store: ArtifactStore) -> None:
    ref = store.put(b"body", "text/plain")
    assert ref == ArtifactRef(digest=artifact_digest(b"body"), size_bytes=4, mime="text/plain")
    assert store.has(ref)
    assert store.get(ref) == store.read(ref.digest) == b"body"
    assert store.size_bytes(ref.digest) == 4
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


def test_the_same_body_is_stored_once(store: ArtifactStore) -> None:
    assert store.put(b"body", "a/b") == store.put_stream([b"bo", b"", b"dy"], "a/b")
    assert len(files(store)) == 1


def test_an_empty_body_is_a_body(store: ArtifactStore) -> None:
    assert store.get(store.put(b"", "a/b")) == b""


def test_what_is_not_here_is_missing(store: ArtifactStore) -> None:
    ref = ArtifactRef(digest=artifact_digest(b"body"), size_bytes=4, mime="a/b")
    assert not store.has(ref)
    assert store.size_bytes(ref.digest) is None
    assert store.find("") == ()
    with pytest.raises(ArtifactMissing):
        store.get(ref)


@pytest.mark.parametrize(
    "digest", ["blake3:../../etc/passwd", "/etc/passwd", "", "blake3:" + "A" * 64]
)
def test_a_name_that_is_no_digest_leads_nowhere(store: ArtifactStore, digest: str) -> None:
    with pytest.raises(ArtifactMissing):
        store.read(digest)


def test_a_damaged_file_is_noticed_removed_and_mended(store: ArtifactStore) -> None:
    ref = store.put(b"body", "a/b")
    file_of(store, ref).write_bytes(b"b0dy")
    with pytest.raises(ArtifactDamaged):
        store.get(ref)
    assert not store.has(ref)
    file = file_of(store, store.put(b"body", "a/b"))
    file.write_bytes(b"b0dy")
    store.put(b"body", "a/b")
    assert store.get(ref) == b"body"


def test_a_reference_with_another_size_is_not_served(store: ArtifactStore) -> None:
    ref = attrs.evolve(store.put(b"body", "a/b"), size_bytes=5)
    assert not store.has(ref)
    with pytest.raises(ArtifactDamaged):
        store.get(ref)


def test_a_body_that_is_too_large_leaves_nothing(store: ArtifactStore) -> None:
    store.put(bytes(1_000), "a/b")

    def endless() -> Iterator[bytes]:
        while True:
            yield bytes(300)

    with pytest.raises(ArtifactTooLarge):
        store.put(bytes(1_001), "a/b")
    with pytest.raises(ArtifactTooLarge):
        store.put_stream(endless(), "a/b")
    assert len(files(store)) == 1


def test_a_stream_that_breaks_off_leaves_nothing(store: ArtifactStore) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ConnectionResetError

    with pytest.raises(StoreUnavailable):
        store.put_stream(broken(), "a/b")
    assert files(store) == []


def test_what_a_killed_writer_left_is_swept(store: ArtifactStore) -> None:
    ref = store.put(b"body", "a/b")
    (store.folder / f"0123{UNFINISHED}").write_bytes(b"ha")
    assert store.find("") == (ref.digest,)
    assert store.sweep() == 1
    assert store.sweep() == 0
    assert store.get(ref) == b"body"


def test_artifacts_are_found_by_a_prefix(store: ArtifactStore) -> None:
    digests = sorted(store.put(bytes([number]), "a/b").digest for number in range(40))
    assert store.find("", limit=100) == tuple(digests)
    assert store.find(digests[7]) == (digests[7],)
    assert store.find(digests[7].removeprefix("blake3:")[:10]) == (digests[7],)


def test_writers_of_one_body_do_not_disturb_each_other(store: ArtifactStore) -> None:
    failures: list[BaseException] = []

    def write() -> None:
        try:
            for number in range(20):
                ref = store.put(bytes([number]) * 500, "a/b")
                assert store.get(ref) == bytes([number]) * 500
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(files(store)) == 20
    assert not [name for name in os.listdir(store.folder) if name.endswith(UNFINISHED)]
