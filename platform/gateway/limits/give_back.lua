-- Takes a request from the running ones and corrects the buckets to what it used in the end.
--
-- KEYS: the buckets, then the sets of running requests.
-- ARGV: how many of the keys are buckets; the request's name; then for each bucket its correction, in microseconds,
--       below zero where too much was charged.
--
-- May be repeated: a request that holds no place changes nothing.

local buckets, name, held = tonumber(ARGV[1]), ARGV[2], 0

for i = buckets + 1, #KEYS do
    held = held + redis.call('ZREM', KEYS[i], name)
end
if held > 0 then
    for i = 1, buckets do
        keep(KEYS[i], used(KEYS[i]) + tonumber(ARGV[2 + i]))
    end
end
