-- A call of a replica that is gone goes to another one, once, and its place with it: docs/wire-replica.md.
-- KEYS: call, places, missed (of the one before).
-- ARGV: record before, record after, field before, field after, 1 where places are leased, Call-ID, how long the
-- one before may need to hear of it (ms).
-- 1, or 0 where it is somebody else's by now.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
-- The one before may be the same, which does not count it any more: then there is nobody to tell.
local goes = ARGV[3] ~= ARGV[4]
if goes then
  redis.call('RPUSH', KEYS[3], 'taken ' .. ARGV[6])
  redis.call('PEXPIRE', KEYS[3], ARGV[7])
end
if ARGV[5] == '1' then
  if goes and redis.call('HINCRBY', KEYS[2], ARGV[3], -1) <= 0 then
    redis.call('HDEL', KEYS[2], ARGV[3])
  end
  redis.call('HINCRBY', KEYS[2], ARGV[4], 1)
end
return 1
