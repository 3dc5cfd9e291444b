  ;; Stores a value for as many milliseconds as a number can say.
  (core func $set (canon lower (func $cache "set")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core module $Main
    (import "std" "memory" (memory 1))
    (import "host" "set" (func $set
      (param i32 i32 i32 i32 i32 i32 i32 i64 i32 i32)))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (call $set (i32.const 0) (i32.const 0) (i32.const 1024) (i32.const 4)
        (i32.const 0) (i32.const 0) (i32.const 1) (i64.const -1) (i32.const 0) (i32.const 64))
      (i32.const 0)))
  (core instance $main (instantiate $Main
    (with "std" (instance $std))
    (with "host" (instance (export "set" (func $set))))))
