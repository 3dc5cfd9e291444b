-- keys: meta jobs states outcomes notes unique uniques lapses ready:0 ready:1 ready:2 ready:3 scheduled later completed failed cancelled kept kept:failed waiters hungry assigned leases boxes reaped cancelling held
-- parts: layout view record ready kept moves worker lease
local worker, limit, items_max, crashes_max = take(), take_number(), take_number(), take_number()
local reaped_max, poison = take_number(), take()
age_max = take_number()

local ends = tonumber(call('ZSCORE', k_leases, worker))
if not ends or ends > now then
  return { 0, 0, 0, 0 }
end
even_if_full()
-- Fenced for ever; only the latest are known by name.
call('ZADD', k_reaped, 'NX', now, worker)
call('ZREMRANGEBYRANK', k_reaped, 0, -reaped_max - 1)
call('ZADD', k_leases, REAPED, worker)

local returned, poisoned, cancelled = 0, 0, 0

local function take_back(id, r)
  r.crashes = r.crashes + 1
  bump('reaped', 1)
  if r.state == 'r' and r.crashes >= crashes_max then
    leave(id, r, poison)
    shift(id, r, 'F')
    poisoned = poisoned + 1
    return
  end
  call('HSET', k_lapses, id, struct.pack('>c16I4', worker, r.attempt))
  if give_back(id, r, 'q') == 'X' then
    cancelled = cancelled + 1
  else
    returned = returned + 1
  end
end

take_in(worker)
local ids = call('SRANDMEMBER', k_held, limit)
fetch(ids)
for _, id in ipairs(ids) do
  local r = record(id)
  if r then
    take_back(id, r)
  else
    -- The server lost it.
    let_go[#let_go + 1] = id
  end
end
finish(items_max)
local more = call('SCARD', k_held) > 0
if not more then
  call('ZREM', k_leases, worker)
  stop_calling(worker)
  call('HDEL', k_boxes, worker)
  call('HDEL', k_cancelling, worker)
end
return { returned, poisoned, cancelled, more and 1 or 0 }
