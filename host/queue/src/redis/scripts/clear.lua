-- keys: meta jobs states outcomes notes unique uniques lapses ready:0 ready:1 ready:2 ready:3 scheduled later completed failed cancelled kept kept:failed waiters hungry
-- parts: layout view record ready kept moves
local items_max, limit = take_number(), take_number()
even_if_full()
local ids = call('ZRANGE', k_failed, 0, limit - 1)
fetch(ids)
local cleared = 0
for _, id in ipairs(ids) do
  if not is_expired(record(id)) then
    cleared = cleared + 1
  end
end
forget(ids)
finish(items_max)
return { cleared, call('EXISTS', k_failed) }
