  ;; Fails with a message, a code and a detail of two megabytes each.
  (core module $Main
    (import "std" "memory" (memory 1))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (drop (memory.grow (i32.const 100)))
      (i32.store8 (i32.const 1024) (i32.const 1))
      (i32.store (i32.const 1036) (i32.const 2_097_152))
      (i32.store8 (i32.const 1040) (i32.const 1))
      (i32.store (i32.const 1048) (i32.const 2_097_152))
      (i32.store8 (i32.const 1052) (i32.const 1))
      (i32.store (i32.const 1060) (i32.const 2_097_152))
      (i32.const 1024)))
  (core instance $main (instantiate $Main
    (with "std" (instance $std))))
