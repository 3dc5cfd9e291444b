-- keys: meta jobs states outcomes notes unique uniques lapses ready:0 ready:1 ready:2 ready:3 scheduled later completed failed cancelled kept kept:failed waiters hungry assigned leases reaped cancelling held
-- parts: layout view record ready kept moves worker lease
local worker, items_max = take(), take_number()
age_max = take_number()
local known, claims, ids = {}, {}, {}
for i = 1, take_number() do
  local id, attempt = struct.unpack('>c16I4', take())
  claims[i] = { id = id, attempt = attempt }
  ids[i] = id
  known[id] = known[id] or {}
  known[id][attempt] = true
end
if not admit_worker(worker, #claims > 0) then
  return { 'reaped' }
end
even_if_full()

take_in(worker)
-- Its next cycle knows of one ticket, which may not have come here.
stop_calling(worker)
local in_hand = call('SMEMBERS', k_held)
fetch(in_hand)
fetch(ids)
local lost = {}
for i, claim in ipairs(claims) do
  if not held(worker, claim.id, claim.attempt) then
    lost[#lost + 1] = i - 1
  end
end
local returned = 0
for _, id in ipairs(in_hand) do
  local r = record(id)
  if not r then
    let_go[#let_go + 1] = id
  elseif not (known[id] and known[id][r.attempt]) then
    uncount(r)
    if give_back(id, r, 'q') == 'q' then
      bump('released', 1)
      returned = returned + 1
    end
  end
end
finish(items_max)
return { 'ok', returned, lost }
