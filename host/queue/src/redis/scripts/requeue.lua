-- keys: meta jobs states outcomes notes unique uniques lapses ready:0 ready:1 ready:2 ready:3 scheduled later completed failed cancelled kept kept:failed waiters hungry
-- parts: layout view record ready kept moves
local id, items_max = take(), take_number()
age_max = take_number()
local r = find(id)
if not r or is_expired(r) then
  return false
end
if r.state ~= 'F' and r.state ~= 'X' then
  return { 'refused', view(id, encode(r)) }
end
if has(r, HAS_UNIQUE) then
  local field = call('HGET', k_uniques, id)
  local owner = call('HGET', k_unique, field)
  if owner then
    return { 'conflict', owner }
  end
  call('HSET', k_unique, field, id)
end
call('HDEL', k_lapses, id)
displace(id, r)
r.state, r.failures, r.crashes, r.run_at, r.turn = 'q', 0, 0, now, next_turn()
r.completed_at, r.expires_at = 0, 0
if has(r, HAS_NOTES) then
  call('HDEL', k_notes, id .. 'p')
end
place(id, r)
keep(id, r)
local seen = view(id, encode(r))
finish(items_max)
return { 'done', seen }
