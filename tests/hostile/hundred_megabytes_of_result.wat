  ;; Hands back a hundred megabytes, of which it has less.
  (core module $Main
    (import "std" "memory" (memory 1))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (drop (memory.grow (i32.const 1000)))
      (i32.store8 (i32.const 1032) (i32.const 1))
      (i32.store (i32.const 1048) (i32.const 100_000_000))
      (i32.const 1024)))
  (core instance $main (instantiate $Main
    (with "std" (instance $std))))
