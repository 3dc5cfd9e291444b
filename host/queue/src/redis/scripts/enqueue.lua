-- keys: meta jobs states unique uniques ready:0 ready:1 ready:2 ready:3 scheduled later hungry waiters assigned leases
-- parts: layout ready admit
-- Bytes of an envelope that may go with a letter: the server keeps it for as long as its reader is slow.
local LETTER_BYTES_MAX = 65536

-- Leases a job to the first worker that waits for one, if no other job waits. Who doesn't hear is passed
-- over. Answers whether somebody has it; one who can't be assigned anything is called, and leases it
-- himself.
local function assign(id, envelope)
  if number('paused') == 1 or #envelope > LETTER_BYTES_MAX or call('EXISTS', unpack(READY)) > 0 then
    return false
  end
  local member = call('ZPOPMIN', k_hungry)[1]
  while member do
    local worker, ticket = member:sub(1, BOX_AT - 1), member:sub(TICKET_AT)
    if ticket == CALL or call('HEXISTS', k_assigned, worker) == 1 then
      if ring(member) > 0 then
        fresh = 0
        return false
      end
    elseif (tonumber(call('ZSCORE', k_leases, worker) or 0)) > now then
      local letter = 'a' .. worker .. ticket .. id .. envelope
      if call('PUBLISH', mail .. member:sub(BOX_AT, TICKET_AT - 1), letter) > 0 then
        call('HSET', k_states, id, started_by(worker) .. envelope:sub(1, HEADER_BYTES))
        call('HSET', k_assigned, worker, id)
        bump('running', 1)
        if ticket:byte(4) % 2 == 1 then
          call('ZADD', k_hungry, 'NX', now, member:sub(1, TICKET_AT - 1) .. CALL)
        end
        fresh = 0
        return true
      end
    end
    member = call('ZPOPMIN', k_hungry)[1]
  end
  return false
end

local waiting_max, bytes_max = take_number(), take_number()
local box = take()
local verdicts, owners, is_sooner =
  admit(take_items(take_number()), waiting_max, bytes_max, box, assign)
wake(math.max(fresh, is_sooner and 1 or 0))
save()
return { verdicts, owners }
