  ;; Calls itself through a table until the stack is used up, with many values on each frame.
  (core module $Main
    (type $f (func (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)))
    (table funcref (elem $deeper))
    (func $deeper (type $f)
      (i64.xor (local.get 0) (call_indirect (type $f)
        (local.get 1) (local.get 2) (local.get 3) (local.get 4)
        (local.get 5) (local.get 6) (local.get 7) (local.get 0) (i32.const 0))))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (drop (call $deeper
        (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)
        (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8)))
      (i32.const 0)))
  (core instance $main (instantiate $Main))
