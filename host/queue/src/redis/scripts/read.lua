-- keys: meta jobs states outcomes notes waiters
-- parts: layout record
local id, box = take(), take()
local r = find(id)
if not r or is_expired(r) then
  return false
end
-- Whoever waits is told in its mailbox; see `tell`.
if box ~= '' and not is_final(r) then
  even_if_full()
  local boxes = call('HGET', k_waiters, id) or ''
  if not boxes:find(box, 1, true) then
    call('HSET', k_waiters, id, boxes .. box)
  end
end
return view(id, r)
