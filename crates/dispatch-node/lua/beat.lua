-- A sign of life with what there is to say: docs/wire-replica.md.
-- KEYS: opened, seen, alive, missed.
-- ARGV: field, epoch, how long it is alive (ms), channel, delta; then what was missed, and is done by now.
-- Since when the engine knows of places, in ms of its clock (another number: it forgot them), and what was done
-- with calls while the replica was not heard: 'taken ...' over, or 'ended ...'.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[2], ARGV[1], now)
redis.call('SET', KEYS[3], ARGV[2], 'PX', ARGV[3])
redis.call('SET', KEYS[1], now, 'NX')
redis.call('PUBLISH', ARGV[4], ARGV[5])
for i = 6, #ARGV do
  redis.call('LREM', KEYS[4], 1, ARGV[i])
end
return {redis.call('GET', KEYS[1]), redis.call('LRANGE', KEYS[4], 0, 999)}
