  ;; Sleeps for no time, for ever: calls that wait and never take long.
  (import "wasi:io/poll@0.2.6" (instance $poll
    (export "pollable" (type $pollable (sub resource)))
    (export "[method]pollable.block" (func (param "self" (borrow $pollable))))
    (export "poll" (func (param "in" (list (borrow $pollable))) (result (list u32))))))
  (alias export $poll "pollable" (type $pollable))
  (import "wasi:clocks/monotonic-clock@0.2.6" (instance $clock
    (alias outer 1 $pollable (type $p'))
    (export "pollable" (type $p (eq $p')))
    (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
  (core func $after (canon lower (func $clock "subscribe-duration")))
  (core func $block (canon lower (func $poll "[method]pollable.block")))
  (core func $drop (canon resource.drop $pollable))
  (core module $Main
    (import "host" "after" (func $after (param i64) (result i32)))
    (import "host" "block" (func $block (param i32)))
    (import "host" "drop" (func $drop (param i32)))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (local $moment i32)
      (loop $again
        (local.set $moment (call $after (i64.const 0)))
        (call $block (local.get $moment))
        (call $drop (local.get $moment))
        (br $again))
      unreachable))
  (core instance $main (instantiate $Main
    (with "host" (instance
      (export "after" (func $after))
      (export "block" (func $block))
      (export "drop" (func $drop))))))
