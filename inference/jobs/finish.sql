-- Ends jobs well that are still their attempt's and still listened to; see inference/jobs/finishing.py.
--
-- Parameters: arrays, one for each column of `spoken`, each as long as there are jobs.
--
-- The rows are locked in the order of their ids, as `leases.first_audio` locks them, so that no two transactions wait
-- for each other.

WITH spoken AS (
    SELECT *
    FROM unnest(%(job_id)s::uuid[], %(attempt)s::int[], %(engine_model)s::text[], %(finish_reason)s::text[],
        %(prompt_tokens)s::int[], %(samples)s::bigint[], %(first_audio_ms)s::int[], %(synthesis_ms)s::int[],
        %(encode_ms)s::int[])
        AS spoken (job_id, attempt, engine_model, finish_reason, prompt_tokens, samples, first_audio_ms, synthesis_ms,
            encode_ms)
),
ours AS (
    SELECT id FROM inference_synthesisjob WHERE id = ANY (%(job_id)s::uuid[]) ORDER BY id FOR UPDATE
)
UPDATE inference_synthesisjob job
SET state = 'succeeded', text = '', style = '', recordings = '{}', recorded_texts = '{}',
    finished_at = now(),
    engine_model = spoken.engine_model, finish_reason = spoken.finish_reason, prompt_tokens = spoken.prompt_tokens,
    samples = spoken.samples, first_audio_ms = spoken.first_audio_ms, synthesis_ms = spoken.synthesis_ms,
    encode_ms = spoken.encode_ms
FROM ours JOIN spoken ON spoken.job_id = ours.id
WHERE job.id = ours.id AND job.attempt = spoken.attempt AND state = 'running' AND listeners > 0
RETURNING job.id, job.attempt, service_tier, state, kept_seconds, organization_id, api_key_id, model, voice, job.samples, error_code,
    job.engine_model, job.finish_reason, job.prompt_tokens, created_at, started_at, job.first_audio_ms,
    job.synthesis_ms, job.encode_ms
