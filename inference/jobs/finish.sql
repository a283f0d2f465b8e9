-- Ends jobs well that are still their attempt's and still listened to, bills them and keeps where their audio is; see
-- inference/jobs/finishing.py. One row for each of them.
--
-- Parameters: arrays, one for each column of `spoken`, each as long as there are jobs.
--
-- The queries between `ended` and `kept` are the settlement's. They bill the rows of `ended` and leave `receipt`: what the
-- answer says of each job's bill. A job that could not be billed has none, so its asset is refused, and with it all.

WITH spoken AS (
    SELECT *
    FROM unnest(%(job_id)s::uuid[], %(attempt)s::int[], %(engine_model)s::text[], %(finish_reason)s::text[],
        %(prompt_tokens)s::int[], %(samples)s::bigint[], %(first_audio_ms)s::int[], %(synthesis_ms)s::int[],
        %(encode_ms)s::int[], %(path)s::text[], %(codes_path)s::text[], %(content_type)s::text[], %(size)s::bigint[],
        %(audio_samples)s::bigint[], %(transcript)s::text[])
        AS spoken (job_id, attempt, engine_model, finish_reason, prompt_tokens, samples, first_audio_ms, synthesis_ms,
            encode_ms, path, codes_path, content_type, size, audio_samples, transcript)
),

-- The rows are locked in the order of their ids, as `leases.first_audio` locks them, so that no two transactions wait
-- for each other.
ours AS (
    SELECT id FROM inference_synthesisjob WHERE id = ANY (%(job_id)s::uuid[]) ORDER BY id FOR UPDATE
),

ended AS (
    UPDATE inference_synthesisjob job
    SET state = 'succeeded', text = '', style = '', recordings = '{}', recorded_texts = '{}',
        finished_at = now(),
        engine_model = spoken.engine_model, finish_reason = spoken.finish_reason,
        prompt_tokens = spoken.prompt_tokens, samples = spoken.samples, first_audio_ms = spoken.first_audio_ms,
        synthesis_ms = spoken.synthesis_ms, encode_ms = spoken.encode_ms
    FROM ours JOIN spoken ON spoken.job_id = ours.id
    WHERE job.id = ours.id AND job.attempt = spoken.attempt AND state = 'running' AND listeners > 0
    RETURNING job.id AS job_id, job.attempt, organization_id, api_key_id, model, voice, job.samples, service_tier,
        kept_seconds, created_at, started_at
),

{settlement},

kept AS (
    INSERT INTO inference_audioasset (job_id, organization_id, path, codes_path, content_type, size, samples,
        transcript, receipt, created_at, expires_at)
    SELECT job_id, organization_id, path, codes_path, content_type, size, audio_samples,
        transcript, receipt, now(), now() + make_interval(secs => kept_seconds)
    FROM ended JOIN spoken USING (job_id, attempt) LEFT JOIN receipt USING (job_id)
    RETURNING job_id, receipt, expires_at
)

SELECT job_id, attempt, service_tier, ended.created_at, started_at, receipt, expires_at
FROM ended JOIN kept USING (job_id)
