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
-- A precedent is deprecated when as many as made it, in its own task, rejected one repetition of it. What gives
-- another output repeats nothing, whatever decision it names.
select task_id, epoch, pin, candidate_id, decision_id, scope, task_type, input_digest, schema_digest,
    policy_id, policy_hash, output_digest, output_size_bytes, output_mime, quorum, approvals, rejections,
    decided_at, is_bad, summary, reuse_of,
    exists (
        select from reuse_rejections
        where reuse_rejections.decision_id = knowledge.decision_id
            and reuse_rejections.output_digest = knowledge.output_digest
            and reuse_rejections.scope = knowledge.scope
            and reuse_rejections.rejections >= knowledge.quorum
    ) as is_deprecated,
    array(
        select distinct evidence.digest
        from evidence
        where evidence.task_id = knowledge.task_id and evidence.candidate_id = knowledge.candidate_id
            and is_own_list
        order by evidence.digest
    ) as evidence
from knowledge
where (%(scope)s::text is null or scope = %(scope)s)
    and (%(task_type)s::text is null or task_type = %(task_type)s)
    and (%(input_digest)s::text is null or input_digest = %(input_digest)s)
    and (%(schema_digest)s::text is null or schema_digest = %(schema_digest)s)
    and (%(policy_hash)s::bytea is null or policy_hash = %(policy_hash)s)
    and (%(not_task)s::bytea is null or task_id <> %(not_task)s)
    and decided_at < %(until_ms)s
    and (%(before_at)s::bigint is null
        or (decided_at, task_id, epoch) < (%(before_at)s, %(before_id)s::bytea, %(before_epoch)s::bigint))
order by decided_at desc, task_id desc, epoch desc, pin desc
limit %(limit)s

-- name: rejected_outputs
select distinct output_digest
from reuse_rejections
where decision_id = any(%(decisions)b::bytea[]) and output_digest = any(%(outputs)s::text[])
    and scope = %(scope)s
order by output_digest
