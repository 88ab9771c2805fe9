-- name: word
select word, since_ms, event_id, restored_at_ms from own_signing

-- name: suspect
-- What is known stays: the first event that was found, and an operator's word.
update own_signing
set word = 'suspected', since_ms = %(at_ms)s, event_id = %(event_id)s
where word = 'free'

-- name: restored
-- Never before what the log knows of: a clock that was set back must not forget an epoch. Positions in this log are
-- other events' than before, so whoever remembers some has to begin anew.
with renewed as (
    update sel_head set feed_epoch = uuid_send(gen_random_uuid())
)

update own_signing
set word = 'free', since_ms = null, event_id = null, restored_at_ms = greatest(
    %(at_ms)s::bigint,
    restored_at_ms,
    (
        select max(newest.created_at)
        from lanes
        cross join lateral (
            select created_at
            from sel_events
            where sel_events.lane_no = lanes.lane_no
            order by created_at desc
            limit 1
        ) as newest
    )
)

-- name: cloned
update own_signing
set word = 'cloned', since_ms = coalesce(since_ms, %(at_ms)s)
