-- keys: meta jobs states outcomes notes unique uniques lapses ready:0 ready:1 ready:2 ready:3 scheduled later completed failed cancelled kept kept:failed waiters hungry
-- parts: layout view record ready kept moves
local items_max = take_number()
even_if_full()
local ids, expired = {}, {}
for i = 1, take_number() do
  ids[i] = take()
end
fetch(ids)
for _, id in ipairs(ids) do
  local r = record(id)
  if r and is_expired(r) then
    expired[#expired + 1] = id
  end
end
forget(expired)
finish(items_max)
return 0
