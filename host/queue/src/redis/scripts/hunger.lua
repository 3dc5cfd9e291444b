-- keys: meta ready:0 ready:1 ready:2 ready:3 scheduled hungry cancelling
-- parts: ready
local worker, box = take(), take()
local is_work = number('paused') ~= 1 and (ready_count() > 0 or next_due() == 0)
if is_work or call('HEXISTS', k_cancelling, worker) == 1 then
  return 1
end
call('ZADD', k_hungry, 'NX', now, worker .. box .. CALL)
return 0
