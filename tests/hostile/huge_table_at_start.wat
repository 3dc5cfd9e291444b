  ;; Wants a table of fifty thousand elements to begin with.
  (core module $Main
    (table 50000 funcref)
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.const 0)))
  (core instance $main (instantiate $Main))
