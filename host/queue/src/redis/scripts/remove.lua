-- keys: meta jobs states outcomes notes unique uniques lapses ready:0 ready:1 ready:2 ready:3 scheduled later completed failed cancelled kept kept:failed waiters hungry
-- parts: layout view record ready kept moves
local id, items_max = take(), take_number()
even_if_full()
local r = find(id)
if not r or is_expired(r) then
  return false
end
local seen = view(id, encode(r))
if is_running(r) then
  return { 'refused', seen }
end
records[id] = r
forget({ id })
finish(items_max)
return { 'done', seen }
