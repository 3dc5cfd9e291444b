-- Puts a version of a plugin on the shelf. Looks first and writes after.
-- KEYS: serial, versions, about, components, uses
-- ARGV: name, digest, component, about, versions, plugins and bytes at most, channel
local name, digest, component, about = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local versions_max, plugins_max, bytes_max = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])

local versions = redis.call('HGET', KEYS[2], name)
local plugins = redis.call('HLEN', KEYS[2])
if not versions and plugins >= plugins_max then
  return {'plugins', plugins}
end

local kept, dropped, is_known = {}, {}, false
for found, serial in string.gmatch(versions or '', '(%S+)@(%d+)') do
  if found == digest then
    is_known = true
  elseif #kept + 1 < versions_max then
    kept[#kept + 1] = found .. '@' .. serial
  else
    dropped[#dropped + 1] = found
  end
end

-- What the components weigh once it is done.
local going = {}
for _, old in ipairs(dropped) do
  if (tonumber(redis.call('HGET', KEYS[5], old)) or 0) <= 1 then
    going[old] = true
  end
end
local bytes = #component
for _, other in ipairs(redis.call('HKEYS', KEYS[5])) do
  if other ~= digest and not going[other] then
    bytes = bytes + redis.call('HSTRLEN', KEYS[4], other)
  end
end
if bytes > bytes_max then
  return {'bytes', bytes}
end

local serial = redis.call('INCR', KEYS[1])
for _, old in ipairs(dropped) do
  redis.call('HDEL', KEYS[3], name .. ' ' .. old)
  if redis.call('HINCRBY', KEYS[5], old, -1) <= 0 then
    redis.call('HDEL', KEYS[5], old)
    redis.call('HDEL', KEYS[4], old)
  end
end
if not is_known then
  redis.call('HINCRBY', KEYS[5], digest, 1)
end
-- Written although it may be there: it may be there damaged.
redis.call('HSET', KEYS[4], digest, component)
redis.call('HSET', KEYS[3], name .. ' ' .. digest, about)
table.insert(kept, 1, string.format('%s@%d', digest, serial))
redis.call('HSET', KEYS[2], name, table.concat(kept, ' '))
redis.call('PUBLISH', ARGV[8], name)
return {'published', serial}
