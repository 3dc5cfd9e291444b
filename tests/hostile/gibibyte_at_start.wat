  ;; Wants a gibibyte to begin with.
  (core module $Main
    (memory 16384)
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.const 0)))
  (core instance $main (instantiate $Main))
