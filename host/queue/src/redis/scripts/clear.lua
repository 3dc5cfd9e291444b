-- keys: meta jobs states outcomes notes unique uniques lapses ready:0 ready:1 ready:2 ready:3 scheduled later completed failed cancelled kept kept:failed waiters hungry
-- parts: layout view record ready kept moves
local items_max, limit = take_number(), take_number()
even_if_full()
local ids = call('ZRANGE', k_failed, 0, limit - 1)
fetch(ids)
local cleared = 0
for _, id in ipairs(ids) do
  local r = record(id)
  if r and is_final(r) and not is_expired(r) then
    cleared = cleared + 1
  end
end
-- What is no failed job any more, since the server lost its record, only leaves the index.
forget_first(k_failed, ids)
finish(items_max)
return { cleared, call('EXISTS', k_failed) }
