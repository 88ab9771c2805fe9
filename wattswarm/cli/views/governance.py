"""Governance on a terminal."""

from collections.abc import Iterator
from typing import cast

from rich.console import Group, RenderableType
from rich.text import Text

from wattswarm.cli.views.style import cut, paged, pairs, short, table
from wattswarm.surface.governance import (
    Admitted,
    ChangeLine,
    GovernanceChanged,
    GovernanceView,
    Proposals,
    ProposalView,
    VersionPage,
    VersionView,
)


def governance_view(view: GovernanceView) -> RenderableType:
    """Return a version on one screen, and how governance stands."""
    return Group(
        pairs(("network", view.network_id), *_facts(view.version)),
        _members(view.version),
        _policies(view.version),
        *_standing(view),
    )


def _facts(version: VersionView) -> Iterator[tuple[str, Text | str]]:
    yield (
        "version",
        Text.assemble(
            f"{version.number}  ", (version.version_id, "magenta"), "  ", _words(version)
        ),
    )
    yield "takes effect", version.effective_at
    yield (
        "quorum",
        f"{version.threshold} of {version.finalizers} finalizers; "
        f"{max(version.tolerated, 0)} may contradict themselves",
    )
    yield "admission", version.admission
    yield "open roles", ", ".join(version.open_roles) or "none"
    for name, value in sorted(version.params.items()):
        if name != "admission":
            yield f"param {name}", str(value)
    if version.prev is not None:
        yield "signed by", f"{len(version.signers)} of {version.needed} needed"
    if version.supersedes:
        yield "supersedes", ", ".join(name[:12] for name in version.supersedes)


def _words(version: VersionView) -> Text:
    if not version.is_valid:
        return Text("waits for signatures", "yellow")
    head = "newest" if version.is_head else "succeeded"
    effect = ", in effect" if version.is_in_effect else ""
    return Text(f"{head}{effect}", "green" if version.is_head else "dim")


def _members(version: VersionView) -> RenderableType:
    made = table("member", "roles")
    for member in version.members:
        made.add_row(Text(member.node_id, "magenta"), ", ".join(member.roles))
    return made


def _policies(version: VersionView) -> RenderableType:
    made = table("policy", "version", "hash", "", numbers=("version",))
    for policy in version.policies:
        known = "" if policy.is_known else "unknown to this program"
        made.add_row(policy.id, str(policy.version), short(policy.hash), Text(known, "yellow"))
    return made


def _standing(view: GovernanceView) -> Iterator[RenderableType]:
    if view.drafters:
        yield Text(f"drafts the next version: {', '.join(n[:12] for n in view.drafters)}", "dim")
    if view.pending:
        yield Text(f"{view.pending} wait for signatures: `wattswarm governance pending`", "cyan")
    for each in view.equivocators:
        signed = ", ".join(name[:12] for name in each.signed)
        yield Text(f"node {each.node_id[:12]} signed rival versions: {signed}", "bold red")


def versions_view(page: VersionPage) -> RenderableType:
    """Return versions, one a line."""
    made = table("number", "version", "takes effect", "signers", "", "what changed",
                 numbers=("number", "signers"))  # fmt: skip
    for row in page.items:
        standing = "in effect" if row.is_in_effect else "newest" if row.is_head else ""
        made.add_row(
            str(row.number),
            short(row.version_id),
            row.effective_at,
            str(row.signers),
            Text(standing, "green"),
            Group(*map(_change, row.changes)) if row.number else "the beginning",
        )
    return paged(made, page.next)


def proposals_view(proposals: Proposals) -> RenderableType:
    """Return what waits for signatures, with what each would change."""
    if not proposals.items:
        return Text("nothing waits for signatures")
    return Group(*(part for each in proposals.items for part in _proposal(each)))


def _proposal(proposal: ProposalView) -> Iterator[RenderableType]:
    version = proposal.version
    mine = ", this node's among them" if proposal.is_signed_here else ""
    yield Text.assemble(
        ("version ", "dim"), f"{version.number} ", short(version.version_id),
        f": {len(version.signers)} of {version.needed} needed signatures{mine}",
    )  # fmt: skip
    yield from map(_change, proposal.changes)
    yield from map(_concern, proposal.concerns)
    if not proposal.is_signed_here:
        yield Text(f"next: `wattswarm governance sign {version.version_id[:12]}`", "cyan")


def changed_view(answer: GovernanceChanged) -> RenderableType:
    """Return what governance becomes by a signature, and what that still lacks."""
    version = answer.version
    return Group(
        Text.assemble(
            ("version ", "dim"), f"{version.number} ", short(version.version_id), _done(answer)
        ),
        *map(_change, answer.changes),
        *map(_concern, answer.concerns),
        *_missing(answer),
    )


def _done(answer: GovernanceChanged) -> str:
    if answer.already:
        return ": governance says so already" if not answer.changes else " was signed already"
    if answer.is_dry_run:
        return " would be signed; nothing was"
    return f" is signed as event {answer.seq}, and takes effect at {answer.version.effective_at}"


def _missing(answer: GovernanceChanged) -> Iterator[RenderableType]:
    if answer.missing:
        name = answer.version.version_id[:12]
        yield Text(
            f"next: {answer.missing} more of the finalizers have to sign: "
            f"`wattswarm governance sign {name}` at theirs",
            "cyan",
        )


def _change(line: ChangeLine) -> Text:
    return Text.assemble(
        f"  {_path(line.path)}: ",
        (_value(line.before), "red"),
        " → ",
        (_value(line.after), "green"),
    )


def _path(path: str) -> str:
    section, _, name = path.partition(".")
    return f"{section} {name[:12]}" if section == "members" else path


def _value(value: object) -> str:
    match value:
        case None:
            return "–"
        case list():
            return ", ".join(map(str, cast("list[object]", value))) or "none"
        case _:
            return cut(str(value), 40)


def _concern(told: str) -> Text:
    return Text(f"! {told}", "yellow")


def admitted_view(answer: Admitted) -> RenderableType:
    """Return whether a node is admitted."""
    done = "was admitted already" if answer.already else f"is admitted, as event {answer.seq}"
    if answer.is_dry_run and not answer.already:
        done = "would be admitted; nothing was signed"
    return Text.assemble(("node ", "dim"), short(answer.node_id), f" {done}")
