  ;; Asks for a hundred megabytes of randomness.
  (import "wasi:random/random@0.2.6" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
  (core func $random (canon lower (func $random "get-random-bytes")
    (memory (core memory $std "memory")) (realloc (core func $std "realloc"))))
  (core module $Main
    (import "std" "memory" (memory 1))
    (import "host" "random" (func $random (param i64 i32)))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (call $random (i64.const 100_000_000) (i32.const 64))
      (i32.const 0)))
  (core instance $main (instantiate $Main
    (with "std" (instance $std))
    (with "host" (instance (export "random" (func $random))))))
