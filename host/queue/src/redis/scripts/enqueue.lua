-- keys: meta jobs states unique uniques ready:0 ready:1 ready:2 ready:3 scheduled later hungry waiters
-- parts: layout ready admit
local waiting_max, bytes_max = take_number(), take_number()
local box = take()
local verdicts, owners, is_sooner = admit(take_items(take_number()), waiting_max, bytes_max, box)
wake(math.max(fresh, is_sooner and 1 or 0))
save()
return { verdicts, owners }
