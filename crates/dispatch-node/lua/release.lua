-- A call ended, and gives its place back: docs/wire-replica.md.
-- KEYS: call, places. ARGV: field, 1 where places are leased.
-- 1, or 0 where another replica took the call over, and the place with it: it must be told.
local known = redis.call('GET', KEYS[1])
if known then
  local record = cjson.decode(known)
  if record.replica .. '@' .. string.format('%.0f', record.epoch) ~= ARGV[1] then
    return 0
  end
  redis.call('DEL', KEYS[1])
end
if ARGV[2] == '1' and redis.call('HINCRBY', KEYS[2], ARGV[1], -1) <= 0 then
  redis.call('HDEL', KEYS[2], ARGV[1])
end
return 1
