  ;; Stores an empty value, for ever, and doesn't look at what the host says.
  (core func $set (canon lower (func $cache "set")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core module $Main
    (import "std" "memory" (memory 1))
    (import "host" "set" (func $set
      (param i32 i32 i32 i32 i32 i32 i32 i64 i32 i32)))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (loop $again
        (call $set (i32.const 0) (i32.const 0) (i32.const 1024) (i32.const 4)
          (i32.const 0) (i32.const 0) (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 64))
        (br $again))
      unreachable))
  (core instance $main (instantiate $Main
    (with "std" (instance $std))
    (with "host" (instance (export "set" (func $set))))))
