  ;; Waits for none of nothing, which would never come.
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
  (core func $poll (canon lower (func $poll "poll")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core module $Main
    (import "host" "poll" (func $poll (param i32 i32 i32)))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (call $poll (i32.const 0) (i32.const 0) (i32.const 64))
      (i32.const 0)))
  (core instance $main (instantiate $Main
    (with "host" (instance (export "poll" (func $poll))))))
