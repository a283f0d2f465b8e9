-- Sums an organization's hourly rollups up into daily ones; see usage/rollups.py.
--
-- Parameters: organization_id; first and after, the span of whole days.

-- The hours, with the day that each lies in.
WITH hour AS (
    SELECT *, date_trunc('day', start, 'UTC') AS day FROM gateway_usagerollup
    WHERE organization_id = %(organization_id)s AND period = 'hour'
        AND start >= %(first)s AND start < %(after)s
),

-- The hours' histograms are unfolded into a row for each bin, and the bins of a day added up.
bin AS (
    SELECT day, api_key_id, model, voice, bin, sum(number) AS number
    FROM hour, unnest(latency_bins, latency_counts) AS latency (bin, number)
    GROUP BY day, api_key_id, model, voice, bin
),

-- They are folded again: the bins in one array, how many requests each has in another.
latency AS (
    SELECT day, api_key_id, model, voice,
        array_agg(bin ORDER BY bin) AS bins, array_agg(number ORDER BY bin) AS counts
    FROM bin GROUP BY day, api_key_id, model, voice
),

-- The numbers that can simply be added up.
counted AS (
    SELECT day, api_key_id, model, voice, sum(requests) AS requests, sum(errors) AS errors,
        sum(duration_ms) AS duration_ms, sum(cost) AS cost
    FROM hour GROUP BY day, api_key_id, model, voice
)

-- A day without an answered request has no histogram: hence the LEFT JOIN.
INSERT INTO gateway_usagerollup (
    organization_id, period, start, api_key_id, model, voice,
    requests, errors, duration_ms, cost, latency_bins, latency_counts)
SELECT %(organization_id)s, 'day', day, api_key_id, model, voice,
    requests, errors, duration_ms, cost, coalesce(bins, '{}'), coalesce(counts, '{}')
FROM counted LEFT JOIN latency USING (day, api_key_id, model, voice)
ON CONFLICT (organization_id, period, start, api_key_id, model, voice) DO UPDATE SET
    requests = excluded.requests,
    errors = excluded.errors,
    duration_ms = excluded.duration_ms,
    cost = excluded.cost,
    latency_bins = excluded.latency_bins,
    latency_counts = excluded.latency_counts
