  ;; Wants a table of a million elements to begin with.
  (core module $Main
    (table 1000000 funcref)
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.const 0)))
  (core instance $main (instantiate $Main))
