  ;; Has a memory more than it may (one is the allocator's).
  (core module $Main
    (memory 0) (memory 0) (memory 0) (memory 0)
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.const 0)))
  (core instance $main (instantiate $Main))
