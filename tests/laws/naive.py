"""A second derivation, written from the rules alone and as simply as possible: law 5.

It is a least fixpoint by brute force: go over all events again and again until none takes effect
that had not before. Nothing is remembered between rounds but which events are effective; every
lease, list and count is worked out anew. It shares with the kernel how payloads and contracts are
read, and the hashes and signatures; no rule.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import cast

import attrs

from tests.laws import naive_governance
from tests.laws.naive_governance import NaiveGovernance
from wattswarm.kernel import contract, payloads
from wattswarm.kernel.canonical import Value
from wattswarm.kernel.contract import Contract
from wattswarm.kernel.errors import Malformed
from wattswarm.kernel.event import Event, LaneClass
from wattswarm.kernel.finality import finality_message
from wattswarm.kernel.governance import Role, Version
from wattswarm.kernel.ids import Digest, EventId, NodeId
from wattswarm.kernel.payloads import Ballot
from wattswarm.kernel.records import Label, Subject
from wattswarm.kernel.signature import Domain, message
from wattswarm.kernel.signature import is_valid as is_signed_by
from wattswarm.kernel.vote import bound_fields, commit_hash

LATE_MS = 3_000
POLICY_CODES = {
    "vp.schema_only.v1": {100, 101, 200, 201, 202, 203},
    "vp.schema_thresholds.v1": {100, 101, 102, 103, 200, 201, 202, 203},
    "vp.crosscheck.v1": {100, 101, 104, 105, 200, 201, 202, 203},
}
ALL_CODES = {0, 100, 101, 102, 103, 104, 105, 200, 201, 202, 203, 300, 301, 302, 303, 999}

KNOWN_RULES = 1
CONTROLS = ("TASK_STOPPED", "TASK_SUSPENDED", "TASK_RESUMED", "TASK_KILLED")

FOUNDED = ("DECISION_FINALIZED", "EPOCH_ENDED")
"""What rests on pins and signatures alone, and has its effect whatever statements say."""

STANDING = (*FOUNDED, "TASK_RETRY_SCHEDULED", *CONTROLS)
"""What takes effect whatever is said of it; a control word of the creator's own apart."""

EPOCH_MAX = 2**31 - 1

Fields = Mapping[str, Value]
Pair = tuple[bytes, bytes]
Said = tuple[str, int, str]

is_valid = cache(is_signed_by)


@attrs.define
class Naive:
    """Everything known, and what is effective by now."""

    governance: NaiveGovernance
    task_id: EventId
    events: Mapping[EventId, Event]
    effective: set[EventId] = attrs.field(factory=set)

    def run(self) -> "Naive":
        """Go round until nothing changes."""
        while True:
            new = {
                name
                for name, event in self.events.items()
                if name not in self.effective and self.holds(event)
            }
            if not new:
                return self
            self.effective |= new

    # --- what everything rests on ---------------------------------------------------------------

    @property
    def creation(self) -> Event | None:
        return self.events.get(self.task_id)

    def read(self, event: Event) -> bool:
        """Whether the payload has the form of its kind."""
        try:
            payloads.read(event.kind, event.payload)
        except (Malformed, KeyError):
            return False
        return True

    @property
    def terms(self) -> Contract:
        assert self.creation is not None
        return contract.read(self.creation.payload["contract"])

    @property
    def pin(self) -> Digest:
        assert self.creation is not None
        return Digest(cast("bytes", self.creation.payload["pin"]))

    def version(self, label: Label) -> Version | None:
        return self.governance.versions.get(label.pin)

    def has_role(self, node: NodeId, role: Role, label: Label) -> bool:
        version = self.version(label)
        return version is not None and version.holds(node, role)

    def is_void(self, event: Event) -> bool:
        return self.governance.voids(event, self.pin) is not None

    # --- epochs -----------------------------------------------------------------------------------

    @property
    def first(self) -> Label:
        return Label(1, self.pin)

    def open_labels(self) -> set[Label]:
        """The first epoch, and those that effective ends of others opened."""
        return {self.first, *map(_opened_by, self.of_kind("EPOCH_ENDED"))}

    def opened_at(self, label: Label) -> int:
        """The latest date at which enough finalizers of the epoch before carried the opening.

        Enough are more than may be missing from a quorum; each counts by the latest of its own.
        """
        assert self.creation is not None
        dates = [self.creation.created_at]
        ends = [each for each in self.of_kind("EPOCH_ENDED") if _opened_by(each) == label]
        for ended in {_label_of(each) for each in ends}:
            version = self.version(ended)
            assert version is not None
            latest: dict[NodeId, int] = {}
            for event in ends:
                if _label_of(event) == ended and event.author in version.finalizers:
                    latest[event.author] = max(event.created_at, latest.get(event.author, 0))
            enough = len(version.finalizers) - version.threshold + 1
            dates += sorted(latest.values(), reverse=True)[enough - 1 : enough]
        return max(dates)

    def expires_at(self, epoch: int) -> int:
        """As long after the latest opening as the first epoch lasts."""
        assert self.creation is not None
        if epoch == 1:
            return self.terms.expires_at
        opened = [self.opened_at(each) for each in self.open_labels() if each.epoch == epoch]
        return max(opened) + self.terms.expires_at - self.creation.created_at

    def newest(self) -> Label:
        """The newest open epoch; of rivals that of the smaller pin."""
        highest = max(label.epoch for label in self.open_labels())
        return min(label for label in self.open_labels() if label.epoch == highest)

    def ended(self, event: Event) -> bool:
        """Whether enough finalizers of an open epoch signed that it is over, and what follows."""
        if self.terms.mode.value != "continuous" or not 0 < event.epoch < EPOCH_MAX:
            return False
        label, following = _label_of(event), _opened_by(event)
        version = self.version(label)
        if label not in self.open_labels() or version is None:
            return False
        if self.version(following) is None or not self.enders(event, version):
            return False
        signers = set[NodeId]()
        for other in self.events.values():
            is_same = other.kind == "EPOCH_ENDED" and self.stands(other)
            if is_same and (_label_of(other), _opened_by(other)) == (label, following):
                signers |= self.enders(other, version)
        return len(signers) >= version.threshold

    def enders(self, event: Event, version: Version) -> set[NodeId]:
        """The finalizers whose signatures over the end of an epoch a carrier holds."""
        signed = message(
            Domain.EPOCH_END,
            [
                event.network_id,
                self.task_id,
                event.epoch,
                cast("bytes", event.payload["pin"]),
                cast("bytes", event.payload["next_pin"]),
            ],
        )
        return _signers(version, signed, event)

    # --- what everything rests on, again ----------------------------------------------------------

    def is_kind(self, name: object, *kinds: str) -> bool:
        """Whether the name is that of an effective event of one of these kinds."""
        return name in self.effective and self.events[cast("EventId", name)].kind in kinds

    def of_kind(self, kind: str) -> Iterable[Event]:
        return [self.events[n] for n in sorted(self.effective) if self.events[n].kind == kind]

    # --- every event ----------------------------------------------------------------------------

    def holds(self, event: Event) -> bool:
        """Whether an event takes effect, given what is effective by now."""
        creation = self.creation
        if creation is None or not self.stands(event):
            return False
        if event.event_id == self.task_id:
            return self.creates(event) and not self.is_void(event)
        if event.kind == "TASK_CREATED" or not self.read(creation):
            return False
        if creation.task_id is not None or creation.lane_class is not LaneClass.WORK:
            return False
        if event.kind == "DECISION_FINALIZED":
            return self.carries(event)
        if event.kind == "EPOCH_ENDED":
            return self.ended(event)
        if event.kind in CONTROLS:
            return self.controls(event)
        if self.is_void(event) and event.kind not in STANDING:
            return False
        if self.task_id not in self.effective or not self.is_in_epoch(event):
            return False
        if event.kind == "TASK_EXPIRED":
            return event.created_at > self.terms.expires_at
        is_late = event.created_at > self.expires_at(event.epoch)
        if is_late and event.kind != "TASK_FEEDBACK_REPORTED":
            return False
        if event.created_at <= creation.created_at:
            return False
        named = [self.events[n] for n in self.strict_names(event) if n in self.effective]
        if len(named) != len(self.strict_names(event)):
            return False
        if any(event.created_at <= each.created_at for each in named):
            return False
        if any(event.epoch != each.epoch for each in named):
            return False
        return _RULES[event.kind](self, event, event.payload)

    def stands(self, event: Event) -> bool:
        """Whether an event stands in its task's scope, in its lane, and can be read."""
        assert self.creation is not None
        is_in_place = event.scope == self.creation.scope and event.lane_class is LaneClass.WORK
        return is_in_place and self.read(event)

    def is_in_epoch(self, event: Event) -> bool:
        return event.epoch == 1 or (
            self.terms.mode.value == "continuous"
            and event.epoch in {label.epoch for label in self.open_labels()}
        )

    def is_under_open_pin(self, event: Event) -> bool:
        """Whether an event names the pin of an open epoch, whose rules are known."""
        label = _label_of(event)
        version = self.version(label)
        is_known = version is not None and version.rules_version == KNOWN_RULES
        return label in self.open_labels() and is_known

    def strict_names(self, event: Event) -> Sequence[EventId]:
        """The ids that an event cannot do without."""
        found: list[EventId] = []
        found += [
            EventId(cast("bytes", event.payload[field]))
            for field in ("claim", "previous", "candidate", "result", "commit")
            if field in event.payload
        ]
        for field in ("reveals", "confirmations"):
            found += cast("Sequence[EventId]", event.payload.get(field, ()))
        return found

    def creates(self, event: Event) -> bool:
        version = self.version(self.first)
        return (
            event.task_id is None
            and version is not None
            and event.epoch == 1
            and event.created_at <= self.terms.expires_at
            and version.rules_version == 1
            and version.holds(event.author, Role.PROPOSER)
            and version.registers(self.terms.policy)
        )

    def attempts(self, label: Label) -> int:
        """The newest open attempt of an epoch."""
        opened = 1
        froms = {
            cast("int", event.payload["from_attempt"])
            for event in self.of_kind("TASK_RETRY_SCHEDULED")
            if _label_of(event) == label
        }
        while opened in froms:
            opened += 1
        return opened

    # --- claims ---------------------------------------------------------------------------------

    def own_claim(self, event: Event, fields: Fields, *roles: str) -> Event | None:
        if not self.is_kind(fields["claim"], "TASK_CLAIMED"):
            return None
        claim = self.events[cast("EventId", fields["claim"])]
        is_own = claim.author == event.author and claim.payload["role"] in roles
        return claim if is_own else None

    def end_of(self, name: EventId) -> int:
        """The end of a claim's or a renewal's own lease."""
        event = self.events[name]
        until = cast("int", event.payload["lease_until"])
        end = min(until, event.created_at + self.terms.lease_ms)
        if event.kind == "TASK_CLAIM_RENEWED":
            claim = self.events[cast("EventId", event.payload["claim"])]
            end = min(end, claim.created_at + self.terms.time_ms)
        return end

    def has_lease(self, claim: Event, at_ms: int) -> bool:
        if self.terms.allocator == "creator" and not any(
            said.payload["claim"] == claim.event_id and said.payload["approved"]
            for said in self.of_kind("TASK_CLAIM_DECIDED")
        ):
            return False
        ends = [self.end_of(claim.event_id)] + [
            self.end_of(each.event_id)
            for each in self.of_kind("TASK_CLAIM_RENEWED")
            if each.payload["claim"] == claim.event_id
        ]
        return at_ms <= max(ends) + LATE_MS

    def claimed(self, event: Event, fields: Fields) -> bool:
        role = Role.PROPOSER if fields["role"] == "propose" else Role.VERIFIER
        attempt = cast("int", fields["attempt"])
        return (
            self.is_under_open_pin(event)
            and self.has_role(event.author, role, _label_of(event))
            and attempt <= self.terms.max_attempts
            and attempt <= self.attempts(_label_of(event))
            and cast("int", fields["lease_until"]) > event.created_at
        )

    def renewed(self, event: Event, fields: Fields) -> bool:
        if self.own_claim(event, fields, "propose", "verify") is None:
            return False
        previous = cast("EventId", fields["previous"])
        before = self.events[previous]
        if previous != fields["claim"]:
            is_renewal = self.is_kind(previous, "TASK_CLAIM_RENEWED")
            if not is_renewal or before.payload["claim"] != fields["claim"]:
                return False
        starts = cast("int", fields["lease_until"]) > event.created_at
        return starts and event.created_at <= self.end_of(previous) + LATE_MS

    def released(self, event: Event, fields: Fields) -> bool:
        return self.own_claim(event, fields, "propose", "verify") is not None

    def claim_decided(self, event: Event, fields: Fields) -> bool:
        assert self.creation is not None
        return self.is_kind(fields["claim"], "TASK_CLAIMED") and (
            event.author == self.creation.author
        )

    def completed(self, event: Event, fields: Fields) -> bool:
        assert self.creation is not None
        is_named = self.is_kind(fields["candidate"], "CANDIDATE_PROPOSED")
        return is_named and event.author == self.creation.author

    def complained(self, event: Event, fields: Fields) -> bool:
        is_named = self.is_kind(fields["candidate"], "CANDIDATE_PROPOSED")
        return is_named and event.author == self.terms.settlement.authority

    # --- candidates and results -----------------------------------------------------------------

    def proposed(self, event: Event, fields: Fields) -> bool:
        claim = self.own_claim(event, fields, "propose")
        return claim is not None and self.has_lease(claim, event.created_at)

    def added(self, event: Event, fields: Fields) -> bool:
        if not self.is_kind(fields["candidate"], "CANDIDATE_PROPOSED"):
            return False
        candidate = self.events[cast("EventId", fields["candidate"])]
        return (
            candidate.author == event.author
            and bool(fields["evidence"])
            and self.has_lease(self.claim_of(candidate), event.created_at)
        )

    def claim_of(self, event: Event) -> Event:
        return self.events[cast("EventId", event.payload["claim"])]

    def verifies(self, event: Event, fields: Fields) -> bool:
        """Whether an event is a verifier's word on a candidate that its claim covers."""
        claim = self.own_claim(event, fields, "verify")
        if claim is None or not self.is_kind(fields["candidate"], "CANDIDATE_PROPOSED"):
            return False
        candidate = self.events[cast("EventId", fields["candidate"])]
        theirs = self.claim_of(candidate)
        if _label_of(theirs) != _label_of(claim):
            return False
        if cast("int", theirs.payload["attempt"]) > cast("int", claim.payload["attempt"]):
            return False
        same_node = claim.author == theirs.author
        same_executor = same_node and claim.payload["executor"] == theirs.payload["executor"]
        dependent = {"node": same_node, "executor": same_executor, "none": False}
        if dependent[self.terms.independence.value]:
            return False
        return self.has_lease(claim, event.created_at)

    def confirmed(self, event: Event, fields: Fields) -> bool:
        return self.verifies(event, fields) and fields["digest"] in self.digests(
            cast("EventId", fields["candidate"])
        )

    def digests(self, candidate: EventId) -> set[Value]:
        refs = cast("Sequence[Fields]", self.events[candidate].payload["evidence"])
        return {ref["digest"] for ref in refs}

    def found(self, event: Event, fields: Fields) -> bool:
        codes = set(cast("Sequence[int]", fields["reason_codes"]))
        own = POLICY_CODES[self.terms.policy.id]
        if codes & (ALL_CODES - own - {0, 999}):
            return False
        if fields["status"] == "inconclusive" and not codes & {200, 201, 202}:
            return False
        return self.verifies(event, fields)

    # --- votes ----------------------------------------------------------------------------------

    def own_result(self, event: Event, name: Value) -> Event | None:
        if not self.is_kind(name, "VERIFIER_RESULT_SUBMITTED"):
            return None
        result = self.events[cast("EventId", name)]
        return result if result.author == event.author else None

    def committed(self, event: Event, fields: Fields) -> bool:
        result = self.own_result(event, fields["result"])
        is_conclusive = result is not None and result.payload["status"] != "inconclusive"
        return is_conclusive and self.terms.commit_reveal

    def voted(self, event: Event, fields: Fields) -> bool:
        agreed = {"approve": "passed", "reject": "failed"}[cast("str", fields["vote"])]
        if "result" in fields:
            result = self.own_result(event, fields["result"])
            is_plain = not self.terms.commit_reveal
            return is_plain and result is not None and result.payload["status"] == agreed
        if not self.is_kind(fields["commit"], "VOTE_COMMIT"):
            return False
        commit = self.events[cast("EventId", fields["commit"])]
        result = self.events[cast("EventId", commit.payload["result"])]
        bound = bound_fields(
            event.network_id, self.task_id, self.subject(result), event.author, result.event_id
        )
        opened = commit_hash(
            bound, Ballot(cast("str", fields["vote"])), cast("bytes", fields["salt"])
        )
        return (
            commit.author == event.author
            and opened == commit.payload["commit_hash"]
            and result.payload["status"] == agreed
        )

    def subject(self, result: Event) -> Subject:
        claim = self.claim_of(result)
        attempt = cast("int", claim.payload["attempt"])
        return Subject(_label_of(claim), attempt, cast("EventId", result.payload["candidate"]))

    def result_of(self, vote: Event) -> Event:
        """The result that a vote, or a commit, rests on."""
        if "commit" in vote.payload:
            vote = self.events[cast("EventId", vote.payload["commit"])]
        return self.events[cast("EventId", vote.payload["result"])]

    def counting(self, votes: Sequence[Event], ballot: str) -> set[NodeId]:
        """The voters whose votes count when these, on one subject, are all there are."""
        said = [vote for vote in votes if vote.payload["vote"] == ballot]
        if not self.terms.commit_reveal:
            return {vote.author for vote in said}
        return {vote.author for vote in said if len(self.listers(vote, votes)) >= self.quorum}

    @property
    def quorum(self) -> int:
        return self.terms.quorum_threshold

    def listers(self, vote: Event, votes: Sequence[Event]) -> set[NodeId]:
        """The authors among these votes who list the commit of one of them."""
        commit = self.events[cast("EventId", vote.payload["commit"])]
        return {
            by.author
            for by in votes
            if by.created_at > commit.created_at
            and commit.event_id
            in {by.payload["commit"], *cast("Sequence[bytes]", by.payload["seen"])}
        }

    def listed(self) -> dict[EventId, int]:
        """By how many voters on the same subject each commit is listed; unlisted ones left out."""
        reveals = [vote for vote in self.of_kind("VOTE_REVEAL") if "commit" in vote.payload]
        counts: dict[EventId, int] = {}
        for commit in self.of_kind("VOTE_COMMIT"):
            subject = self.subject(self.result_of(commit))
            listers = {
                by.author
                for by in reveals
                if self.subject(self.result_of(by)) == subject
                and by.created_at > commit.created_at
                and commit.event_id in (by.payload["commit"], *by.payload["seen"])
            }
            if listers:
                counts[commit.event_id] = len(listers)
        return counts

    def tally(self) -> dict[tuple[Subject, str], int]:
        """How many voters' votes count, by subject and ballot; those without any are left out."""
        subjects: dict[Subject, list[Event]] = {}
        for vote in self.of_kind("VOTE_REVEAL"):
            subjects.setdefault(self.subject(self.result_of(vote)), []).append(vote)
        counts = {
            (subject, ballot): len(self.counting(votes, ballot))
            for subject, votes in subjects.items()
            for ballot in ("approve", "reject")
        }
        return {key: count for key, count in counts.items() if count}

    # --- decisions, finality, attempts ----------------------------------------------------------

    def decided(self, event: Event, fields: Fields) -> bool:
        candidate = cast("EventId", fields["candidate"])
        votes = [self.events[n] for n in set(cast("Sequence[EventId]", fields["reveals"]))]
        held = [self.events[n] for n in set(cast("Sequence[EventId]", fields["confirmations"]))]
        if not self.is_kind(candidate, "CANDIDATE_PROPOSED"):
            return False
        label = _label_of(self.claim_of(self.events[candidate]))
        if not self.has_role(event.author, Role.COMMITTER, label):
            return False
        if any(vote.kind != "VOTE_REVEAL" for vote in votes):
            return False
        if any(each.kind != "EVIDENCE_AVAILABLE" for each in held):
            return False
        if any(each.payload["candidate"] != candidate for each in held):
            return False
        subjects = {self.subject(self.result_of(vote)) for vote in votes}
        if any(subject.candidate != candidate for subject in subjects) or len(subjects) > 1:
            return False
        if len(self.counting(votes, "approve")) < self.quorum:
            return False
        return all(
            len({each.author for each in held if each.payload["digest"] == digest})
            >= self.terms.da_quorum_threshold
            for digest in self.digests(candidate)
        )

    def rejected(self, event: Event, fields: Fields) -> bool:
        candidate = cast("EventId", fields["candidate"])
        if not self.is_kind(candidate, "CANDIDATE_PROPOSED"):
            return False
        proposed = self.events[candidate].payload
        output = cast("Fields", proposed["output"])
        if "reuse_of" not in proposed or output["digest"] != fields["output_digest"]:
            return False
        votes = [self.events[n] for n in set(cast("Sequence[EventId]", fields["reveals"]))]
        if any(vote.kind != "VOTE_REVEAL" for vote in votes):
            return False
        subjects = {self.subject(self.result_of(vote)) for vote in votes}
        if any(subject.candidate != candidate for subject in subjects) or len(subjects) > 1:
            return False
        return len(self.counting(votes, "reject")) >= self.quorum

    def carries(self, event: Event) -> bool:
        return bool(self.signers(event))

    def signers(self, event: Event) -> set[NodeId]:
        """The finalizers of the pin whose signatures a carrier holds."""
        fields, label = event.payload, _label_of(event)
        version = self.version(label)
        if version is None or label not in self.open_labels():
            return set()
        candidate = cast("EventId", fields["candidate"])
        decision = cast("EventId", fields["decision"])
        signed = finality_message(event.network_id, self.task_id, label, candidate, decision)
        return _signers(version, signed, event)

    def final(self) -> dict[Label, EventId]:
        """By label, the smallest of the candidates that enough finalizers signed."""
        signers: dict[tuple[Label, EventId], set[NodeId]] = {}
        for carrier in self.of_kind("DECISION_FINALIZED"):
            candidate = cast("EventId", carrier.payload["candidate"])
            named = _label_of(carrier), candidate
            signers.setdefault(named, set()).update(self.signers(carrier))
        final: dict[Label, EventId] = {}
        for (label, candidate), nodes in sorted(signers.items(), reverse=True):
            version = self.version(label)
            assert version is not None
            if len(nodes) >= version.threshold:
                final[label] = candidate
        return final

    # --- control words --------------------------------------------------------------------------

    def controls(self, event: Event) -> bool:
        """Whether a control word counts: its creator's, or one with a quorum that it is part of."""
        assert self.creation is not None
        if not self.pins():
            return False
        is_creators = event.author == self.creation.author and event.kind != "TASK_KILLED"
        if is_creators and not self.is_void(event):
            return True
        return bool(self.controllers(event)) and self.is_backed(_said(event))

    def pins(self) -> list[Version]:
        """The versions that epochs of the task are open under."""
        found = map(self.version, sorted(self.open_labels()))
        return [version for version in found if version is not None]

    def controllers(self, event: Event) -> set[NodeId]:
        """The finalizers of any pin whose signatures over its content a control word holds."""
        kind, number, reason = _said(event)
        signed = message(Domain.CONTROL, [event.network_id, self.task_id, kind, number, reason])
        return {node for version in self.pins() for node in _signers(version, signed, event)}

    def carriers(self, said: Said) -> Iterable[Event]:
        """All control words with this content, effective or not, that stand where they must."""
        return [
            event
            for event in self.events.values()
            if event.kind in CONTROLS and self.stands(event) and _said(event) == said
        ]

    def is_backed(self, said: Said) -> bool:
        signers = set[NodeId]().union(*map(self.controllers, self.carriers(said)))
        return any(
            len(signers & version.finalizers) >= version.threshold for version in self.pins()
        )

    def control(self) -> Said | None:
        """The control word that stands."""
        if self.creation is None:
            return None
        words = [self.events[name] for name in self.effective if self.is_kind(name, *CONTROLS)]
        said = {_said(event) for event in words}
        backed = {each for each in said if self.is_backed(each)}
        kills = {each for each in backed if each[0] == "TASK_KILLED"}
        order = ("TASK_RESUMED", "TASK_SUSPENDED", "TASK_STOPPED", "TASK_KILLED")
        return max(
            kills or backed or said,
            key=lambda each: (each[1], order.index(each[0]), each[2]),
            default=None,
        )

    def failed(self, event: Event, fields: Fields) -> bool:
        return self.own_claim(event, fields, "propose", "verify") is not None

    def retried(self, event: Event, fields: Fields) -> bool:
        return (
            self.is_under_open_pin(event)
            and self.has_role(event.author, Role.COMMITTER, _label_of(event))
            and cast("int", fields["from_attempt"]) < self.terms.max_attempts
            and cast("int", fields["from_attempt"]) <= self.attempts(_label_of(event))
        )


def _label_of(event: Event) -> Label:
    return Label(event.epoch, Digest(cast("bytes", event.payload["pin"])))


def _opened_by(event: Event) -> Label:
    return Label(event.epoch + 1, Digest(cast("bytes", event.payload["next_pin"])))


def _signers(version: Version, signed: bytes, event: Event) -> set[NodeId]:
    """The finalizers of a version whose signatures an event holds."""
    return {
        NodeId(node)
        for node, signature in cast("Sequence[Pair]", event.payload.get("sigs", ()))
        if node in version.finalizers and is_valid(node, signed, signature)
    }


def _said(event: Event) -> Said:
    fields = event.payload
    return event.kind, cast("int", fields["control_no"]), cast("str", fields["reason"])


_RULES = {
    "TASK_CLAIMED": Naive.claimed,
    "TASK_CLAIM_RENEWED": Naive.renewed,
    "TASK_CLAIM_RELEASED": Naive.released,
    "TASK_CLAIM_DECIDED": Naive.claim_decided,
    "TASK_SETTLED": Naive.claim_decided,
    "TASK_COMPLETION_DECIDED": Naive.completed,
    "CANDIDATE_PROPOSED": Naive.proposed,
    "EVIDENCE_ADDED": Naive.added,
    "EVIDENCE_AVAILABLE": Naive.confirmed,
    "VERIFIER_RESULT_SUBMITTED": Naive.found,
    "VOTE_COMMIT": Naive.committed,
    "VOTE_REVEAL": Naive.voted,
    "DECISION_COMMITTED": Naive.decided,
    "TASK_ERROR": Naive.failed,
    "TASK_FEEDBACK_REPORTED": Naive.complained,
    "REUSE_REJECT_RECORDED": Naive.rejected,
    "TASK_RETRY_SCHEDULED": Naive.retried,
}


def derive(
    task_id: EventId, network_id: str, events: Iterable[Event], control: Iterable[Event]
) -> Naive:
    """Return what brute force finds, `control` being the events of governance."""
    governance = naive_governance.read(network_id, control)
    return Naive(governance, task_id, {event.event_id: event for event in events}).run()
