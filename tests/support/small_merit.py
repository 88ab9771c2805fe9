"""How the answers of a small node turned out: what its API shows once a task is final."""

from typing import Final

from wattswarm.surface import merit
from wattswarm.surface.task import ContributionView, FeedbackView, ReuseRejectionView
from wattswarm.surface.words import when

NOW: Final = 1_790_000_000_000
NODE: Final = "0a" * 32


def precedent(task_id: str, task_type: str) -> merit.PrecedentView:
    """Return the decision of a task."""
    return merit.PrecedentView(
        task_id=task_id,
        epoch=1,
        pin="ab" * 32,
        scope="global",
        task_type=task_type,
        candidate_id="cd" * 32,
        decision_id="de" * 32,
        input_digest="blake3:" + "1" * 64,
        schema_digest="blake3:" + "2" * 64,
        policy_id="vp.schema_only.v1",
        policy_hash="ef" * 32,
        output_digest="blake3:" + "3" * 64,
        output_size_bytes=15,
        output_mime="application/json",
        summary="what was said",
        quorum=1,
        approvals=1,
        rejections=0,
        decided_at=when(NOW),
        is_bad=False,
        is_deprecated=False,
        reuse_of=None,
    )


def feedback(reason: str) -> FeedbackView:
    """Return what the authority said."""
    return FeedbackView(
        event_id="fb" * 32,
        epoch=1,
        candidate_id="cd" * 32,
        outcome="bad",
        reason=reason,
        created_at=when(NOW),
        in_time=True,
    )


def rejection() -> ReuseRejectionView:
    """Return a rejected repetition."""
    return ReuseRejectionView(
        event_id="bb" * 32,
        node_id=NODE,
        epoch=1,
        candidate_id="cd" * 32,
        decision_id="de" * 32,
        output_digest="blake3:" + "3" * 64,
        rejections=1,
        reason_codes=(101,),
        created_at=when(NOW),
    )


def contribution() -> ContributionView:
    """Return what one vote came to."""
    return ContributionView(
        epoch=1,
        node_id=NODE,
        vote_id="b1" * 32,
        candidate_id="cd" * 32,
        provider="p",
        model="m",
        agrees=True,
        is_bad=False,
        stability_units=196,
        quality_units=1_000,
        due_at=when(NOW),
        is_due=True,
    )


def reputation() -> merit.ReputationPage:
    """Return one line."""
    line = merit.ReputationView(
        scope="global",
        node_id=NODE,
        provider="p",
        model="m",
        settled=1,
        stability_units=196,
        quality_units=1_000,
        pending=1,
        pending_stability_units=5,
        pending_quality_units=6,
        agreed=2,
        bad=0,
    )
    return merit.ReputationPage(items=(line,), next=None)
