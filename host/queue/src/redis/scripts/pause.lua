-- keys: meta ready:0 ready:1 ready:2 ready:3 scheduled hungry
-- parts: ready
set('paused', take_number())
save()
wake(ready_count())
return 0
