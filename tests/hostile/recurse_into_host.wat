  ;; Calls itself until the stack is used up, and the host from many depths: that needs room of its own.
  (core func $reserve (canon lower (func $cache "get-or-reserve")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core module $Main
    (import "host" "reserve" (func $reserve (param i32 i32 i32 i32 i64 i32)))
    (func $deeper (param i64) (result i64)
      (if (i64.eqz (i64.and (local.get 0) (i64.const 63)))
        (then
          (call $reserve (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
            (i64.const 0) (i32.const 64))))
      (i64.add (local.get 0) (call $deeper (i64.add (local.get 0) (i64.const 1)))))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.wrap_i64 (call $deeper (i64.const 1)))))
  (core instance $main (instantiate $Main
    (with "host" (instance (export "reserve" (func $reserve))))))
