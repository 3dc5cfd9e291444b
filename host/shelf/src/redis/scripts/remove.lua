-- Takes all versions of a plugin off the shelf.
-- KEYS: serial, versions, about, components, uses
-- ARGV: name, channel
local name = ARGV[1]
local versions = redis.call('HGET', KEYS[2], name)
if not versions then
  return 0
end
redis.call('INCR', KEYS[1])
redis.call('HDEL', KEYS[2], name)
for digest in string.gmatch(versions, '(%S+)@%d+') do
  redis.call('HDEL', KEYS[3], name .. ' ' .. digest)
  if redis.call('HINCRBY', KEYS[5], digest, -1) <= 0 then
    redis.call('HDEL', KEYS[5], digest)
    redis.call('HDEL', KEYS[4], digest)
  end
end
redis.call('PUBLISH', ARGV[2], name)
return 1
