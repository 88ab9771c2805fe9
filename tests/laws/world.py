"""Networks for the laws: identities, a genesis, further governance versions, and tasks in them."""

from collections.abc import Mapping

import attrs

from wattswarm.kernel import contract, governance
from wattswarm.kernel.errors import Rejection
from wattswarm.kernel.event import Draft, Event, LaneClass
from wattswarm.kernel.governance import Admission, Governance, Role, Version
from wattswarm.kernel.ids import NodeId
from wattswarm.kernel.payloads import TaskCreated
from wattswarm.kernel.payloads import write as write_payload
from wattswarm.kernel.signature import KeyPair

START_MS = 1_700_000_000_000


def keys(count: int, salt: int = 0) -> tuple[KeyPair, ...]:
    """Return key pairs that are the same in every run."""
    return tuple(KeyPair.from_seed(bytes([salt, index]) + bytes(30)) for index in range(count))


@attrs.frozen
class Network:
    """A network: its founder, its genesis record, and the event that carries it."""

    network_id: str
    genesis: Version
    carrier: Event

    def governance(self) -> Governance:
        """Return governance that knows the genesis record."""
        made = Governance(self.network_id)
        made.add(self.carrier)
        return made


def local_network(key: KeyPair) -> Network:
    """Return the network of one node."""
    return _network(key, governance.local_genesis(key.node_id))


def shared_network(
    members: Mapping[NodeId, frozenset[Role]],
    founder: KeyPair,
    *,
    threshold: int | None = None,
    open_roles: frozenset[Role] = frozenset(),
) -> Network:
    """Return a network with these members and with open admission."""
    record = governance.genesis(
        founder.node_id,
        admission=Admission.OPEN,
        open_roles=open_roles,
        members=members,
        threshold=threshold,
    )
    return _network(founder, record)


def _network(founder: KeyPair, record: Version) -> Network:
    network_id = governance.network_id_of(record)
    draft = governance.draft_update(record, {}, START_MS - 1_000)
    return Network(network_id, record, draft.sign(network_id, founder))


def task(
    network: Network,
    creator: KeyPair,
    terms: Mapping[str, object] | None = None,
    *,
    pin: Version | None = None,
    at_ms: int = START_MS,
    scope: str = "global",
) -> Event:
    """Return a signed TASK_CREATED with the sample contract and these terms."""
    version = network.genesis if pin is None else pin
    resolved = contract.resolve(
        {**contract.sample(), **(terms or {})},
        network_id=network.network_id,
        pin=version,
        created_at=at_ms,
        creator=creator.node_id,
    )
    assert not isinstance(resolved, Rejection), resolved.details
    draft = Draft(
        kind=TaskCreated.kind,
        scope=scope,
        lane_class=LaneClass.WORK,
        task_id=None,
        epoch=1,
        created_at=at_ms,
        payload=write_payload(TaskCreated(pin=version.id, contract=resolved)),
    )
    return draft.sign(network.network_id, creator)
