-- name: configure
-- Settings of one session, and its role where the database has one of that name that we may take.
select set_config(name, value, false)
from unnest(%(names)s::text[], %(values)s::text[]) as setting (name, value)
union all
select set_config('role', rolname, false)
from pg_roles
where rolname = %(role)s and pg_has_role(oid, 'member');

-- name: has_role
select exists (select from pg_roles where rolname = %(role)s and pg_has_role(oid, 'member'));
