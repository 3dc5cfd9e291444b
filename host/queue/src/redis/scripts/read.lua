-- keys: meta jobs states outcomes notes waiters
-- parts: layout view
local id, box = take(), take()
local bytes = call('HGET', k_states, id)
if not bytes then
  local envelope = call('HGET', k_jobs, id)
  if not envelope then
    return false
  end
  bytes = unstarted('q', envelope)
end
if is_over(bytes) then
  return false
end
-- Whoever waits is told in its mailbox; see `tell`.
if box ~= '' and not has_ended(bytes) then
  even_if_full()
  local boxes = call('HGET', k_waiters, id) or ''
  if not boxes:find(box, 1, true) then
    call('HSET', k_waiters, id, boxes .. box)
  end
end
return view(id, bytes)
