-- name: derived_bytes
select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname = %(schema)s and c.relkind = 'r'

-- name: body_bytes
select coalesce(sum(octet_length(body)), 0)::bigint from sel_events
