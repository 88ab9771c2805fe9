"""The seed bundle: what an executor is told about earlier decisions when it is asked to work.

An exact hit answers the same question: equal inputs, schema and policy. A similar one answers a
like question; `confidence` says how like. Each names the decision, the output's digest, and, where
it is small and at hand, the output itself. Nobody has to believe any of it: an executor that
repeats an earlier answer is verified like any other.
"""

from collections.abc import Mapping
from typing import Final

import attrs

from wattswarm.executors.contract import NAMES_MAX, REASON_CODE_MAX, REASON_CODES_MAX
from wattswarm.executors.fields import Fields, Json, write
from wattswarm.kernel.limits import ID_CHARS_MAX, SUMMARY_BYTES_MAX, UINT_MAX

SEED_TYPE: Final = "SIMILAR_HITS_V1"
EXACT: Final = "Exact"
SIMILAR: Final = "Similar"

PAYLOAD_BYTES_MAX: Final = 32_768
"""Of one hit: beyond it the output is left out, and the hit keeps its summary."""

CONSTRAINTS_BYTES_MAX: Final = 8_192
BUNDLE_BYTES_MAX: Final = 65_536
HITS_MAX: Final = 16
AVOIDED_MAX: Final = NAMES_MAX


@attrs.frozen(kw_only=True)
class SeedHit:
    """One earlier decision. `output` is None when it is large, or not at hand."""

    is_exact: bool
    task_id: str
    epoch: int
    decision_id: str
    output_digest: str
    summary: str = ""
    output: Json = None
    evidence: tuple[str, ...] = ()
    """Digests of the earlier answer's evidence."""
    reason_codes: tuple[int, ...] = ()
    confidence: float = 1

    def to_json(self) -> Mapping[str, Json]:
        """Return the object that stands for it on the wire."""
        return {
            "hit_type": EXACT if self.is_exact else SIMILAR,
            "decision_ref": {
                "task_id": self.task_id,
                "epoch": self.epoch,
                "final_commit_hash": self.decision_id,
            },
            "output_digest": self.output_digest,
            "reuse_payload": self._payload(),
            "evidence_digests": list(self.evidence),
            "reason_codes_summary": list(self.reason_codes),
            "confidence_hint": self.confidence,
        }

    def _payload(self) -> Mapping[str, Json]:
        return {"summary": self.summary, "output": self.output}

    @property
    def payload_bytes(self) -> int:
        """How large the payload is as JSON."""
        return len(write(self._payload()))


@attrs.frozen(kw_only=True)
class SeedBundle:
    """Hits, the best first; what the output must do justice to, and outputs that were rejected."""

    hits: tuple[SeedHit, ...] = ()
    must_consider: tuple[str, ...] = ()
    must_avoid: tuple[str, ...] = ()

    @property
    def exact(self) -> SeedHit | None:
        """The earlier answer to this very question, output and all, if there is one."""
        return next((hit for hit in self.hits if hit.is_exact and hit.output is not None), None)

    def to_json(self) -> Mapping[str, Json]:
        """Return the object that stands for it on the wire."""
        return {
            "seed_type": SEED_TYPE,
            "hits": [hit.to_json() for hit in self.hits],
            "constraints": self.constraints(),
        }

    def constraints(self) -> Mapping[str, Json]:
        """Return the part that binds the executor."""
        return {
            "must_consider_claims": list(self.must_consider),
            "must_avoid_blacklist_candidate_hashes": list(self.must_avoid),
        }


def fitted(bundle: SeedBundle) -> SeedBundle | None:
    """Return as much of a bundle as may be sent, or None when nothing worth sending is left.

    What is left out goes in this order: large outputs, then rejected outputs and claims down to
    one, then hits from the end down to one, then the rest of the rejected outputs.
    """
    bundle = attrs.evolve(bundle, hits=tuple(map(_lightened, bundle.hits[:HITS_MAX])))
    if not bundle.hits and not bundle.must_avoid:
        return None
    while len(write(bundle.constraints())) > CONSTRAINTS_BYTES_MAX:
        bundle = _less_constrained(bundle)
    while len(write(bundle.to_json())) > BUNDLE_BYTES_MAX:
        if len(bundle.hits) > 1:
            bundle = attrs.evolve(bundle, hits=bundle.hits[:-1])
        elif bundle.must_avoid or len(bundle.must_consider) > 1:
            bundle = _less_constrained(bundle)
        else:
            return None
    return bundle


def _lightened(hit: SeedHit) -> SeedHit:
    return hit if hit.payload_bytes <= PAYLOAD_BYTES_MAX else attrs.evolve(hit, output=None)


def _less_constrained(bundle: SeedBundle) -> SeedBundle:
    if bundle.must_avoid:
        return attrs.evolve(bundle, must_avoid=bundle.must_avoid[:-1])
    return attrs.evolve(bundle, must_consider=bundle.must_consider[:-1])


# --- reading, on the executor's side --------------------------------------------------------------


def read_seed(value: Mapping[str, Json] | None, path: str = "$.seed_bundle") -> SeedBundle:
    """Return the bundle of a request; an empty one when it has none.

    Raises:
        Malformed: It is no such bundle.
    """
    if value is None:
        return SeedBundle()
    fields = Fields.of(value, path)
    hits = tuple(
        _hit(Fields.of(item, at)) for item, at in fields.items_or_none("hits", items_max=HITS_MAX)
    )
    if not fields.has("constraints"):
        return SeedBundle(hits=hits)
    constraints = fields.at("constraints")
    return SeedBundle(
        hits=hits,
        must_consider=_names(constraints, "must_consider_claims"),
        must_avoid=_names(constraints, "must_avoid_blacklist_candidate_hashes"),
    )


def _hit(fields: Fields) -> SeedHit:
    decision, payload = fields.at("decision_ref"), fields.at("reuse_payload")
    return SeedHit(
        is_exact=fields.text("hit_type", chars_max=ID_CHARS_MAX) == EXACT,
        task_id=decision.text("task_id", chars_max=ID_CHARS_MAX),
        epoch=decision.uint("epoch", most=UINT_MAX),
        decision_id=decision.text("final_commit_hash", chars_max=ID_CHARS_MAX),
        output_digest=fields.text_or("output_digest", "", chars_max=ID_CHARS_MAX),
        summary=payload.text_or("summary", "", chars_max=SUMMARY_BYTES_MAX),
        output=payload.value("output") if payload.has("output") else None,
        evidence=_names(fields, "evidence_digests"),
        reason_codes=_codes(fields),
        confidence=fields.fraction("confidence_hint"),
    )


def _codes(fields: Fields) -> tuple[int, ...]:
    found = fields.items_or_none("reason_codes_summary", items_max=REASON_CODES_MAX)
    return tuple(
        code for code, _ in found if isinstance(code, int) and 0 <= code <= REASON_CODE_MAX
    )


def _names(fields: Fields, name: str) -> tuple[str, ...]:
    if not fields.has(name):
        return ()
    return fields.texts(name, items_max=NAMES_MAX, chars_max=ID_CHARS_MAX)
