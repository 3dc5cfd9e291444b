  ;; What the contract offers, as far as hostile components use it.
  (import "gristmill:job/context@0.1.0" (instance $context
    (alias outer 1 $payload (type $p'))
    (export "payload" (type $p (eq $p')))
    (alias outer 1 $error (type $e'))
    (export "error" (type $e (eq $e')))
    (export "attempt" (func (result u32)))
    (export "progress" (func
      (param "done" u64) (param "total" (option u64)) (param "note" (option string))))
    (export "save-checkpoint" (func (param "state" $p) (result (result (error $e)))))))

  (import "gristmill:job/log@0.1.0" (instance $log
    (type $level' (enum "trace" "debug" "info" "warn" "error"))
    (export "level" (type $level (eq $level')))
    (export "emit" (func
      (param "level" $level) (param "message" string)
      (param "fields" (list (tuple string string)))))))

  (import "gristmill:job/cache@0.1.0" (instance $cache
    (alias outer 1 $error (type $e'))
    (export "error" (type $e (eq $e')))
    (type $condition' (enum "always" "if-absent" "if-present"))
    (export "condition" (type $condition (eq $condition')))
    (export "reservation" (type $reservation (sub resource)))
    (type $lookup' (variant (case "hit" (list u8)) (case "reserved" (own $reservation)) (case "busy")))
    (export "lookup" (type $lookup (eq $lookup')))
    (export "set" (func
      (param "bucket" string) (param "key" string) (param "value" (list u8))
      (param "ttl" (option u64)) (param "condition" $condition)
      (result (result bool (error $e)))))
    (export "get-or-reserve" (func
      (param "bucket" string) (param "key" string) (param "wait" u64)
      (result (result $lookup (error $e)))))
    (export "[static]reservation.fill" (func
      (param "this" (own $reservation)) (param "value" (list u8)) (param "ttl" (option u64))
      (result (result bool (error $e)))))))
  (alias export $cache "reservation" (type $reservation))

  (import "gristmill:job/queue@0.1.0" (instance $queue
    (alias outer 1 $payload (type $p'))
    (export "payload" (type $p (eq $p')))
    (alias outer 1 $error (type $e'))
    (export "error" (type $e (eq $e')))
    (type $commit' (enum "on-success" "immediately"))
    (export "commit" (type $commit (eq $commit')))
    (type $verdict' (variant
      (case "accepted" string) (case "unique-conflict" string) (case "rejected" string)))
    (export "verdict" (type $verdict (eq $verdict')))
    (export "new-job" (type $job (sub resource)))
    (export "[constructor]new-job" (func
      (param "function" string) (param "input" $p) (result (own $job))))
    (export "[method]new-job.set-queue" (func (param "self" (borrow $job)) (param "name" string)))
    (export "[method]new-job.set-header" (func
      (param "self" (borrow $job)) (param "name" string) (param "value" string)))
    (export "enqueue" (func
      (param "jobs" (list (own $job))) (param "commit" $commit)
      (result (result (list $verdict) (error $e)))))))
  (alias export $queue "new-job" (type $job))
