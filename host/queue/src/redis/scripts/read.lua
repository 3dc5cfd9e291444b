-- keys: meta jobs states outcomes notes waiters
-- parts: layout
local id, box = take(), take()
local bytes, envelope = call('HGET', k_states, id), call('HGET', k_jobs, id)
if not bytes then
  if not envelope then
    return false
  end
  bytes = struct.pack(FORE, 'q', 0, NOBODY, 0, 0, 0, 0, 0, 0) .. envelope:sub(1, HEADER_BYTES)
end
local is_final = FINAL:find(bytes:sub(1, 1), 1, true)
if is_final and struct.unpack('>I8', bytes, EXPIRES_AT) <= now then
  return false
end
-- Whoever waits is told in its mailbox; see `tell`.
if box ~= '' and not is_final then
  even_if_full()
  local boxes = call('HGET', k_waiters, id) or ''
  if not boxes:find(box, 1, true) then
    call('HSET', k_waiters, id, boxes .. box)
  end
end
-- As `view` has it.
local flags = bytes:byte(FLAGS_AT)
local outcome = bit.band(flags, HAS_OUTCOME) ~= 0 and call('HGET', k_outcomes, id)
local has_notes = bit.band(flags, HAS_NOTES) ~= 0
return {
  bytes, envelope, outcome, has_notes and call('HGET', k_notes, id .. 'p'),
  has_notes and call('HGET', k_notes, id .. 'c'),
}
