"""Archives on their way into a file and into a log, and what is left when the way breaks."""

from collections.abc import Sequence
from pathlib import Path

import attrs
import cbor2
import pytest

from wattswarm.cli.bringing import import_archive
from wattswarm.cli.export import save
from wattswarm.cli.failure import Failure
from wattswarm.kernel.archive import archive
from wattswarm.kernel.limits import BATCH_EVENTS_MAX
from wattswarm.surface.log import Ingested

NETWORK = "local:test"
WIRES = [cbor2.dumps([str(number).encode(), bytes(64)]) for number in range(2 * BATCH_EVENTS_MAX)]
CONTENT = archive(NETWORK, WIRES)


@attrs.define
class Log:
    """Takes each event once, and breaks down before one of its requests."""

    broken_at: int = 0
    requests: int = 0
    held: set[bytes] = attrs.field(factory=set[bytes])

    def bring(self, network_id: str, events: Sequence[bytes]) -> Ingested:
        assert network_id == NETWORK
        self.requests += 1
        if self.requests == self.broken_at:
            raise Failure(code="not_reachable", message="the node does not answer", remedy="wait")
        new = set(events) - self.held
        self.held |= new
        return Ingested(
            received=len(events),
            appended=len(new),
            already=len(events) - len(new),
            refused=0,
            head_seq=len(self.held),
            refusals={},
            intact=True,
        )


def ignore(_done: int, _total: int) -> None:
    """Show nothing."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


def test_an_import_that_broke_off_is_taken_up_again(file: Path) -> None:
    log = Log(broken_at=2)
    with pytest.raises(Failure) as failed:
        import_archive(str(file), log.bring, ignore)
    assert failed.value.details["received"] == BATCH_EVENTS_MAX
    assert failed.value.remedy.startswith("wait; import the file again")
    found = import_archive(str(file), log.bring, ignore)
    assert (found.appended, found.already) == (BATCH_EVENTS_MAX, BATCH_EVENTS_MAX)
    assert found.intact
    assert len(log.held) == len(WIRES)


def test_requests_are_of_bounded_size(file: Path) -> None:
    log = Log()
    import_archive(str(file), log.bring, ignore)
    assert log.requests == 2


def test_an_export_that_broke_off_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(Failure) as failed:
        save([CONTENT[:1_000], CONTENT[1_000:-1]], str(path), force=False)
    assert failed.value.code == "truncated"
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_broke_off_leaves_the_file_that_was_there(file: Path) -> None:
    with pytest.raises(Failure):
        save([CONTENT[:1_000]], str(file), force=True)
    assert file.read_bytes() == CONTENT


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Failure) as failed:
        save([CONTENT], str(tmp_path / "none" / "file"), force=False)
    assert failed.value.code == "file_not_found"
