"""The supervision tree, its dials, and what is done to actors."""

from typing import Final

from wattswarm.api.operation import CURSOR, LIMIT, PREFIX, Call, Operation, Parameter
from wattswarm.api.problems import Problem
from wattswarm.surface.actor import (
    ActorActed,
    ActorDetail,
    ActorsTop,
    DeadLetterPage,
    LetterActed,
    TreeNode,
    Tune,
    Tuned,
)

ACTORS: Final = f"{PREFIX}/actors"
ACTOR: Final = f"{ACTORS}/{{name:path}}"
"""An instance's name has a slash in it: `projection_builder/0`."""
LETTERS: Final = f"{PREFIX}/dead-letters"
LETTER: Final = f"{LETTERS}/{{letter_id}}"


async def _letters(call: Call) -> object:
    query = call.query
    return await call.api.dead_letters(
        actor=query["actor"], cursor=query["cursor"], limit=query["limit"]
    )


def _letter_id(call: Call) -> int:
    word = call.path["letter_id"]
    if not (word.isascii() and word.isdigit() and len(word) < 17):
        raise Problem(code="not_found", message=f"there is no dead letter {word[:40]}")
    return int(word)


async def _retry(call: Call) -> object:
    return await call.api.retry_letter(_letter_id(call))


async def _drop(call: Call) -> object:
    return await call.api.drop_letter(_letter_id(call))


OPERATIONS: Final = (
    Operation(
        method="GET",
        path=ACTORS,
        name="get_actor_tree",
        summary="The supervision tree.",
        call=lambda call: call.api.actor_tree(),
        answer=TreeNode,
    ),
    Operation(
        method="GET",
        path=f"{ACTORS}/top",
        name="get_actors_top",
        summary="How every actor and process does.",
        call=lambda call: call.api.actors_top(),
        answer=ActorsTop,
    ),
    Operation(
        method="GET",
        path=ACTOR,
        name="get_actor",
        summary="Everything about one actor.",
        call=lambda call: call.api.actor(call.path["name"]),
        answer=ActorDetail,
        codes=("not_found",),
    ),
    Operation(
        method="POST",
        path=f"{ACTOR}/tune",
        name="tune_actor",
        summary="Turn dials; answers when they are in effect.",
        call=lambda call: call.api.tune(call.path["name"], call.body),
        body=Tune,
        answer=Tuned,
        codes=("not_found", "dial_invalid"),
    ),
    Operation(
        method="POST",
        path=f"{ACTOR}/restart",
        name="restart_actor",
        summary="Restart an actor; answers when it runs again (the API itself: before it ends).",
        call=lambda call: call.api.restart_actor(call.path["name"]),
        answer=ActorActed,
        codes=("not_found",),
    ),
    Operation(
        method="POST",
        path=f"{ACTOR}/kill",
        name="kill_actor",
        summary="Kill the worker process that runs an actor; its supervisor restarts it.",
        call=lambda call: call.api.kill_actor(call.path["name"]),
        answer=ActorActed,
        codes=("not_found",),
    ),
    Operation(
        method="POST",
        path=f"{ACTOR}/suspend",
        name="suspend_actor",
        summary="Let an actor take no message until it is resumed.",
        call=lambda call: call.api.suspend_actor(call.path["name"]),
        answer=ActorActed,
        codes=("not_found",),
    ),
    Operation(
        method="POST",
        path=f"{ACTOR}/resume",
        name="resume_actor",
        summary="Let a suspended actor go on.",
        call=lambda call: call.api.resume_actor(call.path["name"]),
        answer=ActorActed,
        codes=("not_found",),
    ),
    Operation(
        method="GET",
        path=LETTERS,
        name="list_dead_letters",
        summary="Messages that crashed their actor too often, newest first.",
        call=_letters,
        answer=DeadLetterPage,
        query=(
            Parameter(name="actor", meaning="Only letters of this actor.", kind=str),
            CURSOR,
            LIMIT,
        ),
    ),
    Operation(
        method="POST",
        path=f"{LETTER}/retry",
        name="retry_dead_letter",
        summary="Give a dead letter to its actor again.",
        call=_retry,
        answer=LetterActed,
        codes=("not_found",),
    ),
    Operation(
        method="DELETE",
        path=LETTER,
        name="drop_dead_letter",
        summary="Forget a dead letter.",
        call=_drop,
        answer=LetterActed,
        codes=("not_found",),
    ),
)
