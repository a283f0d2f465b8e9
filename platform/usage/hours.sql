-- Sums an organization's requests and usage up by hour, and puts the sums into its rollups; see usage/rollups.py.
--
-- Parameters: organization_id; first and after, the span of whole hours; routes, those that count as requests for
-- speech; latency_base, the width of the latency histogram's bins (usage.models.LATENCY_BASE).
--
-- What it does is the same however often it is done: each hour is summed from its rows, not added to.

-- Milliseconds and cost, from the usage records, by the hour in which they were billed.
WITH usage AS (
    SELECT date_trunc('hour', created_at, 'UTC') AS start, api_key_id, model, voice,
        sum(duration_ms) AS duration_ms, sum(cost) AS cost
    FROM billing_usagerecord
    WHERE organization_id = %(organization_id)s AND created_at >= %(first)s AND created_at < %(after)s
    GROUP BY 1, api_key_id, model, voice
),

-- Requests from the log, by the hour in which they were asked, counted by outcome and bin of the latency histogram. A
-- failed request has a bin of NULL: how fast it failed is no latency.
call AS (
    SELECT date_trunc('hour', created_at, 'UTC') AS start, api_key_id, model, voice, status >= 400 AS failed,
        CASE WHEN status < 400 THEN floor(ln(greatest(total_ms, 1)) / ln(%(latency_base)s))::smallint END AS bin,
        count(*) AS number
    FROM gateway_requestlog
    WHERE organization_id = %(organization_id)s AND created_at >= %(first)s AND created_at < %(after)s
        AND api_key_id IS NOT NULL AND route = ANY (%(routes)s)
    GROUP BY 1, api_key_id, model, voice, failed, bin
),

-- The same, a row for each rollup: the histogram as two arrays, the bins and how many requests each has.
requested AS (
    SELECT start, api_key_id, model, voice,
        sum(number) AS requests,
        coalesce(sum(number) FILTER (WHERE failed), 0) AS errors,
        coalesce(array_agg(bin ORDER BY bin) FILTER (WHERE NOT failed), '{}') AS bins,
        coalesce(array_agg(number ORDER BY bin) FILTER (WHERE NOT failed), '{}') AS counts
    FROM call GROUP BY start, api_key_id, model, voice
)

-- An hour may have requests and no usage (all failed), or usage and no requests (billed in the hour after it was asked
-- for): hence the FULL JOIN.
INSERT INTO gateway_usagerollup AS rollup (
    organization_id, period, start, api_key_id, model, voice,
    requests, errors, duration_ms, cost, latency_bins, latency_counts)
SELECT %(organization_id)s, 'hour', start, api_key_id, model, voice,
    coalesce(requests, 0), coalesce(errors, 0), coalesce(duration_ms, 0), coalesce(cost, 0),
    coalesce(bins, '{}'), coalesce(counts, '{}')
FROM usage FULL JOIN requested USING (start, api_key_id, model, voice)

-- Usage records are never dropped, so that the new sums stand. The log is dropped by age, a month's partition at a
-- time, and otherwise only grows: an hour that counts fewer requests now than before has lost rows, and the four
-- columns that come from the log stay as they were counted in time. They are taken together, from the counting that
-- had more requests; from the new one where both had the same number.
ON CONFLICT (organization_id, period, start, api_key_id, model, voice) DO UPDATE SET
    duration_ms = excluded.duration_ms,
    cost = excluded.cost,
    (requests, errors, latency_bins, latency_counts) = (
        SELECT best.requests, best.errors, best.latency_bins, best.latency_counts FROM (VALUES
            (rollup.requests, rollup.errors, rollup.latency_bins, rollup.latency_counts, 0),
            (excluded.requests, excluded.errors, excluded.latency_bins, excluded.latency_counts, 1)
        ) AS best (requests, errors, latency_bins, latency_counts, fresh)
        ORDER BY best.requests DESC, fresh DESC LIMIT 1
    )
