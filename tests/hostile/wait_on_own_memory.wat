  ;; Would sleep on an address of its memory, which nobody shares.
  (core module $Main
    (memory 1)
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1))))
  (core instance $main (instantiate $Main))
