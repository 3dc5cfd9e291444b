-- keys: meta jobs states outcomes notes unique uniques lapses ready:0 ready:1 ready:2 ready:3 scheduled later completed failed cancelled kept kept:failed waiters hungry boxes cancelling
-- parts: layout view record ready kept moves worker
local id, items_max = take(), take_number()
age_max = take_number()
even_if_full()
local r = find(id)
if not r or is_expired(r) then
  return false
end
if is_final(r) then
  return { 'refused', view(id, encode(r)) }
end
if is_running(r) then
  if r.state == 'r' then
    r.state = 'k'
    call('HSET', k_states, id, encode(r))
    call('HSET', k_cancelling, r.worker, cancelling(r.worker) .. id)
  end
  local box = call('HGET', k_boxes, r.worker)
  if box then
    call('PUBLISH', mail .. box, 'w' .. r.worker)
  end
  return { 'done', view(id, encode(r)) }
end
shift(id, r, 'X')
-- Cancelled jobs can be so many that this one is forgotten at once.
local seen = view(id, encode(r))
finish(items_max)
return { 'done', seen }
