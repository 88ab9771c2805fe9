-- name: create
create table bench_raw_log (seq bigint primary key, event_id bytea unique, body bytea, signature bytea)

-- name: insert
insert into bench_raw_log (seq, event_id, body, signature)
select %(at)s + place, event_id, body, signature
from unnest(%(ids)b::bytea[], %(bodies)b::bytea[], %(signatures)b::bytea[]) with ordinality
    as added (event_id, body, signature, place)

-- name: drop
drop table bench_raw_log
