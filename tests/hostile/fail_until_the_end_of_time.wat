  ;; Fails, and wants to be run again after as many milliseconds as a number can say.
  (core module $Main
    (import "std" "memory" (memory 1))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.store8 (i32.const 1024) (i32.const 1))
      (i32.store8 (i32.const 1072) (i32.const 1))
      (i64.store (i32.const 1080) (i64.const -1))
      (i32.const 1024)))
  (core instance $main (instantiate $Main
    (with "std" (instance $std))))
