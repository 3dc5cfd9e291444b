if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
store(KEYS[1], ARGV[4], ARGV[5])
give_up(KEYS[2], KEYS[3], ARGV[2], ARGV[3])
return 1
