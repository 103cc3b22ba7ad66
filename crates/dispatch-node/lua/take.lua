-- Leases one place for a call and says whose it is, in one step: docs/wire-replica.md.
-- KEYS: call, places, opened, seen, told.
-- ARGV: record, how long it stays (ms), field, most calls (0: no limit), settling (ms), holding (ms),
-- 1 where the call is ours and moves, how many replicas there are at most.
-- {'taken'}, {'known', record}, {'full'} or {'settling'}.
local known = redis.call('GET', KEYS[1])
if known and ARGV[7] ~= '1' then
  return {'known', known}
end
local most = tonumber(ARGV[4])
if most > 0 then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('SET', KEYS[3], now, 'NX')
  -- It may have forgotten places: all say first what they hold.
  if redis.call('SCARD', KEYS[5]) < tonumber(ARGV[8]) and now - redis.call('GET', KEYS[3]) < tonumber(ARGV[5]) then
    return {'settling'}
  end
  local places, taken = redis.call('HGETALL', KEYS[2]), 0
  for i = 2, #places, 2 do
    taken = taken + places[i]
  end
  -- Who was not seen for longer than any of its calls can last has none.
  for i = 1, #places, 2 do
    if taken < most then
      break
    end
    local seen = redis.call('HGET', KEYS[4], places[i])
    if not seen then
      redis.call('HSET', KEYS[4], places[i], now)
    elseif now - seen > tonumber(ARGV[6]) then
      redis.call('HDEL', KEYS[2], places[i])
      taken = taken - places[i + 1]
    end
  end
  if taken >= most then
    return {'full'}
  end
  redis.call('HINCRBY', KEYS[2], ARGV[3], 1)
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {'taken'}
