-- keys: meta jobs states outcomes notes unique uniques lapses ready:0 ready:1 ready:2 ready:3 scheduled later completed failed cancelled kept kept:failed waiters hungry assigned leases boxes reaped cancelling outbox held
-- parts: layout view ready kept lease usual
-- rare: record moves worker admit turn
local worker, box = take(), take()
-- The ticket of the cycle before, that of this one, and the job that the worker knows to be assigned to it.
local previous, ticket, known = take(), take(), take()
local lease, holds, want, want_bytes = take_number(), take_number(), take_number(), take_number()
local batch_max, promote_max, share = take_number(), take_number(), take_number()
local items_max, log_max = take_number(), take_number()
age_max = take_number()
local notes_count, settlements_count = take_number(), take_number()

local is_admitted, has_lease =
  admit_worker(worker, holds > 0 or notes_count + settlements_count > 0)
if not is_admitted then
  return { 'reaped' }
end
-- What need not be looked at each time is looked at by the first turn of each second.
local is_first = now - number('looked') >= 1000

-- The first write, which asks for no memory: see `even_if_full`.
call('ZREM', k_hungry, worker .. box .. CALL)
local untold = previous ~= CALL and call('ZREM', k_hungry, worker .. box .. previous) == 0
  and take_in(worker)
if untold == known then
  untold = false
end

local ids, heads, outcomes = {}, {}, {}
for i = 1, settlements_count do
  ids[i], heads[i], outcomes[i] = take(), take(), take()
end
if notes_count > 0 then
  rare().take_notes(worker, notes_count, log_max)
end
local verdicts = string.rep('1', settlements_count)
local completed, others = complete(worker, ids, heads, outcomes)
if completed < settlements_count then
  local given = {}
  for _, i in ipairs(others) do
    given[i] = rare().settle_one(worker, ids[i], heads[i], outcomes[i]) and '1' or '0'
  end
  for i = 1, settlements_count do
    given[i] = given[i] or '1'
  end
  verdicts = concat(given)
  rare().finish_settling()
end

if not has_lease then
  call('HSET', k_boxes, worker, box)
end
call('ZADD', k_leases, now + lease, worker)
local resync = holds >= 0 and call('SCARD', k_held) ~= holds + (untold and 1 or 0)

if is_first or settlements_count > 0 then
  local room = TRIM_MAX
  for _, key in ipairs({ k_kept, k_kept_failed }) do
    local too_many = surplus(key, items_max, room, is_first)
    room = room - #too_many
    if #too_many > 0 and not forget_completed(key, too_many) then
      rare().forget_first(key, too_many)
    end
  end
  if is_first and room > 0 then
    set('looked', now)
  end
end

local due = next_due()
if due == 0 then
  rare().promote(call('ZRANGEBYSCORE', k_scheduled, '-inf', '(' .. now + 1, 'LIMIT', 0, promote_max))
  rare().write_records()
  due = next_due()
end

local left, ready, only = { [0] = 0, 0, 0, 0 }, 0, nil
local classes = call('EXISTS', unpack(READY))
if classes == 1 then
  -- Most jobs are of the normal class.
  for _, class in ipairs({ 1, 0, 2, 3 }) do
    ready = call('ZCARD', READY[class + 1])
    if ready > 0 then
      left[class], only = ready, READY[class + 1]
      break
    end
  end
elseif classes > 1 then
  for class = 0, 3 do
    left[class] = call('ZCARD', READY[class + 1])
    ready = ready + left[class]
  end
end
if untold then
  want = math.max(want - 1, 0)
end
local wanted = want
want = number('paused') == 1 and 0 or math.min(want, batch_max, ready)
local leased, envelopes, touched = {}, {}, {}
if want > 0 then
  local picked
  if only and not could_exceed(want, want_bytes) then
    picked = call('ZRANGE', only, 0, want - 1)
    call('ZREMRANGEBYRANK', only, 0, want - 1)
  else
    picked = rare().pick(left, want, want_bytes, share)
  end
  ready = ready - #picked
  local again
  leased, envelopes, again = lease_untouched(worker, picked)
  for _, at in ipairs(again) do
    touched[#touched + 1] = at - 1
    touched[#touched + 1], touched[#touched + 2] = rare().lease_again(worker, leased[at])
  end
  if number('bytes') == 0 then
    set('heaviest', 0)
  end
end
local room = wanted - #leased
if untold then
  leased[#leased + 1], envelopes[#envelopes + 1] = untold, call('HGET', k_jobs, untold)
end
if made then
  made.write_records()
  made.tell_gone()
end
wake(math.min(fresh, ready))
save()

local cancels = call('HGET', k_cancelling, worker)
cancels = cancels and rare().to_cancel(cancels) or ''
local lapsed = call('ZRANGEBYSCORE', k_leases, '-inf', now, 'LIMIT', 0, batch_max)
local is_more = number('paused') ~= 1 and ready > 0
-- One that has room for more than there is, is called when there is something; or it is assigned a job,
-- if it has as much room as its ticket says.
local is_hungry = room > 0 and not is_more and due ~= 0
if is_hungry then
  if room == 1 and byte(ticket, 4) % 2 == 1 then
    ticket = CALL
  end
  call('ZADD', k_hungry, 'NX', now, worker .. box .. ticket)
end
return {
  'ok', verdicts, cancels, concat(lapsed), due or -1, is_more and 1 or 0, resync and 1 or 0,
  (made or is_first) and call('HLEN', k_outbox) or 0, is_hungry and 1 or 0, concat(leased), envelopes, touched,
}
