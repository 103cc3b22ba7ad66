-- Says whose a call is that was placed without asking: docs/wire-replica.md.
-- KEYS: call. ARGV: record, how long it stays (ms).
-- The record that was there, or nothing.
local known = redis.call('GET', KEYS[1])
if not known then
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return known
