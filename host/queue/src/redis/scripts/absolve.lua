-- keys: meta jobs states lapses
-- parts: layout record
local worker = take()
local corrected = 0
for _ = 1, take_number() do
  local held = take()
  local id = held:sub(1, 16)
  if call('HGET', k_lapses, id) == worker .. held:sub(17) then
    local r = find(id)
    if r and not is_final(r) then
      r.crashes = math.max(r.crashes - 1, 0)
      call('HSET', k_states, id, encode(r))
      call('HDEL', k_lapses, id)
      corrected = corrected + 1
    end
  end
end
return corrected
