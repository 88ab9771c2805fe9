-- What is read of the board. Filters that are null let everything pass.

-- name: messages
select event_id, scope, author, created_at, feed_key, reply_to, text, body_digest, body_size_bytes, body_mime
from topic_messages
where (%(scope)s::text is null or scope = %(scope)s)
    and (%(feed_key)s::text is null or feed_key = %(feed_key)s)
    and (%(before_at)s::bigint is null or (created_at, event_id) < (%(before_at)s, %(before_id)s::bytea))
order by created_at desc, event_id desc
limit %(limit)s

-- name: message
select event_id, scope, author, created_at, feed_key, reply_to, text, body_digest, body_size_bytes, body_mime
from topic_messages
where event_id = %(event_id)s

-- name: find_messages
select event_id from topic_messages where event_id between %(first)s and %(last)s order by event_id limit %(limit)s

-- name: verdict
select code from board_verdicts where event_id = %(event_id)s

-- name: subscriptions
select event_id, scope, author, created_at, feed_key, revision, is_active, gossip_kinds, provides, retention_ms
from current_subscriptions
where (%(scope)s::text is null or scope = %(scope)s)
    and (%(author)s::bytea is null or author = %(author)s)
    and (%(feed_key)s::text is null or feed_key = %(feed_key)s)
    and (is_active or not %(active)s)
    and (%(after_scope)s::text is null
        or (scope, author, feed_key) > (%(after_scope)s, %(after_author)s::bytea, %(after_feed)s::text))
order by scope, author, feed_key
limit %(limit)s

-- name: announcements
select event_id, scope, author, created_at, announcement_key, feed_key, task_id, revision, summary,
    detail_digest, detail_size_bytes, detail_mime
from current_announcements
where (%(scope)s::text is null or scope = %(scope)s)
    and (%(author)s::bytea is null or author = %(author)s)
    and (%(feed_key)s::text is null or feed_key = %(feed_key)s)
    and (%(announcement_key)s::text is null or announcement_key = %(announcement_key)s)
    and (%(task_id)s::bytea is null or task_id = %(task_id)s)
    and (%(before_at)s::bigint is null or (created_at, event_id) < (%(before_at)s, %(before_id)s::bytea))
order by created_at desc, event_id desc
limit %(limit)s

-- name: intents
select event_id, scope, author, created_at, task_id, execution_set, revision, role_hint, intent
from current_intents
where task_id = %(task_id)s
    and (%(scope)s::text is null or scope = %(scope)s)
    and (%(author)s::bytea is null or author = %(author)s)
    and (%(execution_set)s::text is null or execution_set = %(execution_set)s)
order by execution_set, author, scope
limit %(limit)s

-- name: sets
select event_id, scope, author, created_at, task_id, execution_set, revision,
    array(select node from execution_set_members as m where m.event_id = s.event_id order by node),
    array(select role_hint from execution_set_members as m where m.event_id = s.event_id order by node)
from current_sets as s
where task_id = %(task_id)s
    and (%(scope)s::text is null or scope = %(scope)s)
    and (%(author)s::bytea is null or author = %(author)s)
    and (%(execution_set)s::text is null or execution_set = %(execution_set)s)
order by execution_set, author, scope
limit %(limit)s

-- name: checkpoints
select event_id, scope, author, created_at, seq, chain
from checkpoints
where (%(before_at)s::bigint is null or (created_at, event_id) < (%(before_at)s, %(before_id)s::bytea))
order by created_at desc, event_id desc
limit %(limit)s

-- name: checkpoint_lanes
select scope, class, cut, events, root from checkpoint_lanes where event_id = %(event_id)s order by scope, class
