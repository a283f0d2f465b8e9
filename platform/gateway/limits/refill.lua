-- Put before take.lua and give_back.lua: the clock, and how a bucket is kept.
--
-- A bucket refills evenly (GCRA). All that is kept of it is the moment, in microseconds, at which it will be full
-- again; a key that is not there is a full bucket. How much of it is used is counted in the microseconds that it takes
-- to refill that. The clock is the server's, so that all gateways have the same.

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- How much of the bucket is used.
local function used(key)
    return math.max(tonumber(redis.call('GET', key) or 0) - now, 0)
end

-- Let so much of the bucket be used. The key goes by itself when the bucket is full. Lua's numbers are doubles, which
-- Redis would write in scientific notation: '%.0f' writes all digits.
local function keep(key, left)
    if left > 0 then
        redis.call('SET', key, string.format('%.0f', now + left), 'PX', math.ceil(left / 1000))
    else
        redis.call('DEL', key)
    end
end
