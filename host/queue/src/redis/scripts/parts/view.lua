-- What is shown of a job, and those who wait to see it.

-- All of a job with this record, and with this outcome if it isn't written: record, envelope, outcome,
-- progress and checkpoint; false for what there isn't.
local function view(id, bytes, unwritten)
  local flags = bytes:byte(FLAGS_AT)
  local outcome, progress, checkpoint = unwritten or false, false, false
  if bit.band(flags, HAS_OUTCOME) ~= 0 and not unwritten then
    outcome = call('HGET', k_outcomes, id)
  end
  if bit.band(flags, HAS_NOTES) ~= 0 then
    progress = call('HGET', k_notes, id .. 'p')
    checkpoint = call('HGET', k_notes, id .. 'c')
  end
  return { bytes, call('HGET', k_jobs, id), outcome, progress, checkpoint }
end

-- The letter that tells of a job's end; each part of it stands behind its length.
local function letter_of_end(id, bytes, unwritten)
  local text = view(id, bytes, unwritten)
  for i, part in ipairs(text) do
    text[i] = part and struct.pack('>I4', #part) .. part or NOTHING
  end
  return 'e' .. id .. table.concat(text)
end

-- Tells clients that wait for these jobs, if there are any.
local function tell(ids, letter)
  if #ids == 0 or call('EXISTS', k_waiters) == 0 then
    return
  end
  for first = 1, #ids, VALUES_MAX do
    local last = math.min(first + VALUES_MAX - 1, #ids)
    local found = call('HMGET', k_waiters, unpack(ids, first, last))
    for i = first, last do
      local boxes = found[i - first + 1]
      if boxes then
        local text = letter(ids[i], i)
        for at = 1, #boxes, 32 do
          call('PUBLISH', mail .. boxes:sub(at, at + 31), text)
        end
        call('HDEL', k_waiters, ids[i])
      end
    end
  end
end
