local value = redis.call('GET', KEYS[1])
local version = value and string.sub(redis.sha1hex(value), 1, 13) or ''
if version ~= ARGV[1] then return 0 end
store(KEYS[1], ARGV[2], ARGV[3])
return 1
