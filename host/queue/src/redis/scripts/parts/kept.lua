-- What is kept of jobs that have ended, and for how long.

-- How long failed and cancelled jobs are; every script that ends jobs is told.
local age_max = 0

-- Jobs that one script forgets because of their age or number.
local TRIM_MAX = 512

-- The first jobs of an index by expiry that are too many or, if that is asked for, kept for too long; so
-- many at most.
local function surplus(key, items_max, room, by_age)
  local items = call('ZCARD', key)
  if items == 0 then
    return {}
  end
  local count = math.min(items - items_max, room)
  local ids = by_age
    and call('ZRANGEBYSCORE', key, '-inf', '(' .. now + 1, 'LIMIT', 0, room) or {}
  if count > #ids then
    ids = call('ZRANGE', key, 0, count - 1)
  end
  return ids
end
