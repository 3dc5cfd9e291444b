-- keys: meta jobs states notes
-- parts: layout record
local id = take()
local r = find(id)
if not r or is_expired(r) then
  return false
end
local chunks = {}
local log = has(r, HAS_NOTES) and call('HGET', k_notes, id .. 'L')
if log then
  local first, next = struct.unpack('>I4I4', log)
  for chunk = first, next - 1 do
    chunks[#chunks + 1] = call('HGET', k_notes, id .. 'l' .. chunk):sub(5)
  end
end
return chunks
