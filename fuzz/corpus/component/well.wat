;; What every hostile component begins with: the contract's types. It is followed by imports.wat (where
;; the file uses them), std.wat, the component's own file, lift.wat and foot.wat; tests/src/hostile.rs
;; puts them together.
(component
  (import "gristmill:job/types@0.1.0" (instance $types
    (type $payload' (record (field "content-type" string) (field "data" (list u8))))
    (export "payload" (type $payload (eq $payload')))
    (type $error' (variant
      (case "access-denied" string) (case "invalid" string) (case "too-large" u64)
      (case "quota-exceeded" string) (case "unavailable" string)
      (case "other" (tuple string string))))
    (export "error" (type (eq $error')))
    (type $disposition' (variant (case "retry") (case "retry-after" u64) (case "fatal")))
    (export "disposition" (type $disposition (eq $disposition')))
    (type $failure' (record
      (field "message" string) (field "code" (option string))
      (field "detail" (option $payload)) (field "disposition" $disposition)))
    (export "failure" (type (eq $failure')))))
  (alias export $types "payload" (type $payload))
  (alias export $types "error" (type $error))
  (alias export $types "failure" (type $failure))
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
  ;; A memory, and an allocator that never gives anything back. Zeroes at address 0 are the result
  ;; `ok(none)`; allocations start at 4096.
  (core module $Std
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (loop $more
        (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
          (then
            (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
            (br $more))))
      (local.get $at)))
  (core instance $std (instantiate $Std))
  ;; The neighbour: says what attempt it is, and is done.
  (core func $attempt (canon lower (func $context "attempt")))
  (core module $Main
    (import "host" "attempt" (func $attempt (result i32)))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (if (i32.ne (call $attempt) (i32.const 1)) (then unreachable))
      (i32.const 0)))
  (core instance $main (instantiate $Main
    (with "host" (instance (export "attempt" (func $attempt))))))
  ;; The door of the contract, over the core function `handle` of the instance `$main`.
  (func $handle (param "function" string) (param "input" $payload)
    (result (result (option $payload) (error $failure)))
    (canon lift (core func $main "handle")
      (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (instance $handler (export "handle" (func $handle)))
  (export "gristmill:job/handler@0.1.0" (instance $handler)))
