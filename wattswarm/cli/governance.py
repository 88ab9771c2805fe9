"""`wattswarm governance …`: who may do what, what shall change, and who signs that."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

import attrs
from cyclopts import App, Parameter

from wattswarm.cli import statement
from wattswarm.cli.segment import segment
from wattswarm.cli.session import Here, Session
from wattswarm.cli.spans import span_ms

app = App(name="governance", help="Who may do what: show it, change it, sign it with others.")

RoleWord = Literal["proposer", "verifier", "committer", "finalizer"]
OpenWord = Literal["proposer", "verifier"]
AdmissionWord = Literal["open", "closed"]
Switch = Annotated[bool, Parameter(negative="")]

TRUTH: Final[Mapping[str, bool]] = {"true": True, "false": False}


@Parameter(name="*")
@attrs.frozen(kw_only=True)
class Terms:
    """How a version is drafted.

    Attributes:
        effective_at: From when on new tasks run under it, as 2026-11-25T16:00:00Z; else from now.
        in_: The same as a time span from now: 500ms, 30s, 10m, 2h.
        threshold: Signatures that are needed from then on; else as now, and the default when the
            number of finalizers changes.
        dry_run: Only show the resulting version and its differences; sign nothing.
        supersede: Draft another although one waits for signatures: it names that one.
        out_of_turn: Draft although another finalizer's turn it is.
        after_restore: Sign although this node's log was restored: it has signed no other successor.
    """

    effective_at: str | None = None
    in_: Annotated[str | None, Parameter(name="in")] = None
    threshold: int | None = None
    dry_run: Switch = False
    supersede: Switch = False
    out_of_turn: Switch = False
    after_restore: Switch = False

    def order(self, **changes: object) -> Mapping[str, object]:
        """Return the order for these changes on these terms."""
        return {
            "threshold": self.threshold,
            **changes,
            "effective_at": self.effective_at,
            "effective_in_ms": None if self.in_ is None else span_ms(self.in_),
            "dry_run": self.dry_run,
            "supersede": self.supersede,
            "out_of_turn": self.out_of_turn,
            "after_restore": self.after_restore,
        }


AS_USUAL: Final = Terms()

# --- reading ------------------------------------------------------------------------------------


@app.command
def show(version: str | None = None, /, *, session: Here) -> None:
    """Show a version of governance, by default the newest.

    Args:
        version: Its number, its id, or a unique prefix of that.
    """
    from wattswarm.cli.views.governance import governance_view
    from wattswarm.surface.governance import GovernanceView

    path = "/governance" if version is None else f"/governance/versions/{segment(version)}"
    with session.client() as client:
        session.out.show(client.get(GovernanceView, path), governance_view)


@app.command
def history(*, cursor: str | None = None, limit: int | None = None, session: Here) -> None:
    """List the versions of governance, newest first, with what each changed.

    Args:
        cursor: Where the page begins, as the page before said.
        limit: Versions of a page.
    """
    from wattswarm.cli.views.governance import versions_view
    from wattswarm.surface.governance import VersionPage

    with session.client() as client:
        page = client.get(VersionPage, "/governance/versions", cursor=cursor, limit=limit)
        session.out.show(page, versions_view)


@app.command
def pending(*, session: Here) -> None:
    """List drafts of the next version that wait for signatures."""
    from wattswarm.cli.views.governance import proposals_view
    from wattswarm.surface.governance import Proposals

    with session.client() as client:
        session.out.show(client.get(Proposals, "/governance/pending"), proposals_view)


# --- changing -----------------------------------------------------------------------------------


@app.command
def grant(
    node: str,
    role: Annotated[tuple[RoleWord, ...], Parameter(negative="")],
    /,
    *,
    terms: Terms = AS_USUAL,
    session: Here,
) -> None:
    """Give a node roles; it becomes a member, and is admitted by that.

    Args:
        node: Its id, or a unique prefix of one that is known here.
        role: The roles that it gets.
    """
    _change(session, terms.order(grant={node: list(role)}))


@app.command
def revoke_role(
    node: str,
    role: Annotated[tuple[RoleWord, ...], Parameter(negative="")],
    /,
    *,
    terms: Terms = AS_USUAL,
    session: Here,
) -> None:
    """Take roles from a member; who has none left is no member any more, and stays admitted.

    Args:
        node: Its id, or a unique prefix.
        role: The roles that it loses.
    """
    _change(session, terms.order(revoke={node: list(role)}))


@app.command
def set_param(
    key: str, value: str | None = None, /, *, terms: Terms = AS_USUAL, session: Here
) -> None:
    """Set a parameter: digits are a number, `true` and `false` are that; without a value: unset it.

    Args:
        key: Its name.
        value: Its value from then on.
    """
    _change(session, terms.order(params={key: None if value is None else param_value(value)}))


@app.command
def set_policy(
    policy: str, /, *, remove: Switch = False, terms: Terms = AS_USUAL, session: Here
) -> None:
    """Register a policy that tasks may be bound to, or --remove one.

    Args:
        policy: `id/version/hash`; of a policy of this program its id is enough.
        remove: Register it no more; tasks that run go on.
    """
    section = "unregister" if remove else "register"
    _change(session, terms.order(**{section: [policy]}))


@app.command
def set_threshold(number: int, /, *, terms: Terms = AS_USUAL, session: Here) -> None:
    """Set how many finalizers have to sign: more than half of them.

    Args:
        number: Signatures that are needed from then on.
    """
    _change(session, terms.order(threshold=number))


@app.command
def open_role(role: OpenWord, /, *, terms: Terms = AS_USUAL, session: Here) -> None:
    """Let every admitted node hold a role.

    Args:
        role: The role.
    """
    _change(session, terms.order(open_roles=[role]))


@app.command
def close_role(role: OpenWord, /, *, terms: Terms = AS_USUAL, session: Here) -> None:
    """Let only members hold a role that they were given.

    Args:
        role: The role.
    """
    _change(session, terms.order(close_roles=[role]))


@app.command
def set_admission(word: AdmissionWord, /, *, terms: Terms = AS_USUAL, session: Here) -> None:
    """Say whose events are taken in: everybody's, or those of the admitted; once open, for ever.

    Args:
        word: open or closed.
    """
    _change(session, terms.order(params={"admission": word}))


@app.command
def sign(
    version: str,
    /,
    *,
    dry_run: Switch = False,
    after_restore: Switch = False,
    session: Here,
) -> None:
    """Sign a version that another finalizer has drafted; `pending` lists them.

    Args:
        version: Its id, or a unique prefix.
        dry_run: Only show what would be signed.
        after_restore: Sign although this node's log was restored: it has signed no other successor.
    """
    from wattswarm.cli.views.governance import changed_view
    from wattswarm.surface.governance import GovernanceChanged

    with session.client() as client:
        path = f"/governance/versions/{segment(version)}/sign"
        order = {"dry_run": dry_run, "after_restore": after_restore}
        session.out.show(client.post(GovernanceChanged, path, order), changed_view)


@app.command
def admit(node: str, /, *, dry_run: Switch = False, session: Here) -> None:
    """Take a node's events into the set from now on; that is not taken back.

    Args:
        node: Its whole id.
        dry_run: Only tell whether it would be admitted.
    """
    from wattswarm.cli.views.governance import admitted_view
    from wattswarm.surface.governance import Admitted

    with session.client() as client:
        body = {"node": node, "dry_run": dry_run}
        session.out.show(client.post(Admitted, "/governance/admissions", body), admitted_view)


for _command in (
    statement.statements,
    statement.revoke,
    statement.restore,
    statement.penalize,
    statement.pardon,
    statement.sign_statement,
):
    app.command(_command)


def param_value(word: str) -> int | str | bool:
    """Return the value that a word stands for."""
    if word in TRUTH:
        return TRUTH[word]
    is_number = word.isascii() and word.isdigit() and len(word) < 20
    return int(word) if is_number else word


def _change(session: Session, order: Mapping[str, object]) -> None:
    from wattswarm.cli.views.governance import changed_view
    from wattswarm.surface.governance import GovernanceChanged

    with session.client() as client:
        answer = client.post(GovernanceChanged, "/governance/changes", order)
        session.out.show(answer, changed_view)
