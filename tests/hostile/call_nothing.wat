  ;; Calls an empty place of its table.
  (core module $Main
    (table 1 funcref)
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (call_indirect (result i32) (i32.const 0))))
  (core instance $main (instantiate $Main))
