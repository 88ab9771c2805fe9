-- What is asked of many tasks at once about how their answers turned out.

-- name: reputation
-- Sums are numeric, and so exact; those of what is not due yet stand apart.
select tasks.scope, node, provider, model,
    count(*) filter (where due_at <= %(now_ms)s),
    coalesce(sum(stability) filter (where due_at <= %(now_ms)s), 0),
    coalesce(sum(quality) filter (where due_at <= %(now_ms)s), 0),
    count(*) filter (where due_at > %(now_ms)s),
    coalesce(sum(stability) filter (where due_at > %(now_ms)s), 0),
    coalesce(sum(quality) filter (where due_at > %(now_ms)s), 0),
    count(*) filter (where agrees),
    count(*) filter (where is_bad)
from contributions
join tasks on tasks.task_id = contributions.task_id
where (%(scope)s::text is null or tasks.scope = %(scope)s)
    and (%(node)s::bytea is null or node = %(node)s)
    and (%(after_node)s::bytea is null
        or (tasks.scope, node, provider, model)
            > (%(after_scope)s::text, %(after_node)s, %(after_provider)s::text, %(after_model)s::text))
group by tasks.scope, node, provider, model
order by tasks.scope, node, provider, model
limit %(limit)s

-- name: precedents
select task_id, epoch, pin, candidate_id, decision_id, scope, task_type, input_digest, schema_digest,
    policy_id, policy_hash, output_digest, output_size_bytes, output_mime, quorum, approvals, rejections,
    decided_at, is_bad, summary, reuse_of, is_deprecated, evidence
from precedents
where (%(scope)s::text is null or scope = %(scope)s)
    and (%(task_type)s::text is null or task_type = %(task_type)s)
    and (%(before_at)s::bigint is null
        or (decided_at, task_id, epoch) < (%(before_at)s, %(before_id)s::bytea, %(before_epoch)s::bigint))
order by decided_at desc, task_id desc, epoch desc, pin desc
limit %(limit)s

-- name: answers
select task_id, epoch, pin, candidate_id, decision_id, scope, task_type, input_digest, schema_digest,
    policy_id, policy_hash, output_digest, output_size_bytes, output_mime, quorum, approvals, rejections,
    decided_at, is_bad, summary, reuse_of, is_deprecated, evidence
from precedents
where input_digest = %(input_digest)s
    and schema_digest = %(schema_digest)s
    and policy_hash = %(policy_hash)s
    and task_type = %(task_type)s
    and scope = %(scope)s
    and (%(not_task)s::bytea is null or task_id <> %(not_task)s)
    and decided_at < %(until_ms)s
order by decided_at desc, task_id desc, epoch desc, pin desc
limit %(limit)s

-- name: comparable
-- What can be told without the rest: only a few of these are shown to anybody.
select task_id, decision_id, decided_at
from precedents
where task_type = %(task_type)s
    and scope = %(scope)s
    and task_id <> %(not_task)s
    and decided_at < %(until_ms)s
    and not is_bad
    and not is_deprecated
order by decided_at desc, task_id desc, epoch desc, pin desc
limit %(limit)s

-- name: named
select task_id, epoch, pin, candidate_id, decision_id, scope, task_type, input_digest, schema_digest,
    policy_id, policy_hash, output_digest, output_size_bytes, output_mime, quorum, approvals, rejections,
    decided_at, is_bad, summary, reuse_of, is_deprecated, evidence
from precedents
where decision_id = any(%(decisions)b::bytea[]) and scope = %(scope)s
order by decided_at desc, task_id desc, epoch desc, pin desc

-- name: rejected_outputs
select distinct output_digest
from reuse_rejections
where decision_id = any(%(decisions)b::bytea[]) and output_digest = any(%(outputs)s::text[])
    and scope = %(scope)s
order by output_digest
