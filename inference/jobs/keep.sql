-- Keeps where finished jobs' audio is; see inference/jobs/finishing.py.
--
-- Parameters: arrays, one for each column, each as long as there are jobs.

INSERT INTO inference_audioasset (job_id, organization_id, path, codes_path, content_type, size, samples, transcript,
    receipt, created_at, expires_at)
SELECT *
FROM unnest(%(job_id)s::uuid[], %(organization_id)s::uuid[], %(path)s::text[], %(codes_path)s::text[],
    %(content_type)s::text[], %(size)s::bigint[], %(samples)s::bigint[], %(transcript)s::text[],
    %(receipt)s::jsonb[], %(created_at)s::timestamptz[], %(expires_at)s::timestamptz[])
