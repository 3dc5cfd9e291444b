  ;; Has a memory that only 64 bits can address, which is switched off here.
  (core module $Main
    (memory i64 1)
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.const 0)))
  (core instance $main (instantiate $Main))
