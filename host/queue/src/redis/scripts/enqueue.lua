-- keys: meta jobs states unique uniques ready:0 ready:1 ready:2 ready:3 scheduled later hungry
-- parts: record ready admit
local waiting_max, bytes_max = take_number(), take_number()
local items = {}
for i = 1, take_number() do
  items[i] = take_item()
end
local due = next_due()
local verdicts = admit(items, waiting_max, bytes_max)
local due_now = next_due()
wake_for_fresh(due_now and (not due or due_now < due))
save()
return verdicts
