-- Stores a value for so many milliseconds: for ever where there is no number, and not at all where it
-- is none.
local function store(key, value, ttl)
  if ttl == '' then
    redis.call('SET', key, value)
  elseif ttl == '0' then
    redis.call('DEL', key)
  else
    redis.call('SET', key, value, 'PX', ttl)
  end
end
