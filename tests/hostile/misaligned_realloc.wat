  ;; Has a list of numbers written between two words.
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
  (core module $Std
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4097)))
  (core instance $std (instantiate $Std))
  (core func $poll (canon lower (func $poll "poll")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core module $Main
    (import "std" "memory" (memory 1))
    (import "host" "after" (func $after (param i64) (result i32)))
    (import "host" "poll" (func $poll (param i32 i32 i32)))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.store (i32.const 1024) (call $after (i64.const 0)))
      (call $poll (i32.const 1024) (i32.const 1) (i32.const 64))
      (i32.const 0)))
  (core instance $main (instantiate $Main
    (with "std" (instance $std))
    (with "host" (instance (export "after" (func $after)) (export "poll" (func $poll))))))
