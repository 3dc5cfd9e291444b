  ;; Calls itself until the stack is used up.
  (core module $Main
    (func $deeper (param i64) (result i64)
      (i64.add (local.get 0) (call $deeper (i64.add (local.get 0) (i64.const 1)))))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.wrap_i64 (call $deeper (i64.const 1)))))
  (core instance $main (instantiate $Main))
