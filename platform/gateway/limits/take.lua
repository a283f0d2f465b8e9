-- Charges buckets and enters a request among the running ones, all of it or nothing.
--
-- KEYS: the buckets, then the sets of running requests, one for each subject (key, organization).
-- ARGV: how many of the keys are buckets; what a whole bucket holds; the request's name; how long its place is leased
--       (both in microseconds); then for each bucket what is charged, and for each set how many may run.
-- Returns {1 if all was taken, else 0; for each key what was used or how many ran before}.

local buckets, full, name, lease = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local function amount(i) return tonumber(ARGV[4 + i]) end

-- Look at everything first. A place whose lease is over is that of a gateway that was killed.
local admitted, before = 1, {}
for i, key in ipairs(KEYS) do
    if i <= buckets then
        before[i] = used(key)
        if before[i] + amount(i) > full then admitted = 0 end
    else
        redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
        before[i] = redis.call('ZCARD', key)
        if before[i] >= amount(i) then admitted = 0 end
    end
end

-- Then take from all. A set is kept as long as its newest place.
if admitted == 1 then
    for i, key in ipairs(KEYS) do
        if i <= buckets then
            keep(key, before[i] + amount(i))
        else
            redis.call('ZADD', key, string.format('%.0f', now + lease), name)
            redis.call('PEXPIRE', key, math.ceil(lease / 1000))
        end
    end
end

return {admitted, before}
