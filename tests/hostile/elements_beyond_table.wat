  ;; Its elements have no room in its table.
  (core module $Main
    (table 1 funcref)
    (func $f)
    (elem (i32.const 0x7fffffff) $f)
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.const 0)))
  (core instance $main (instantiate $Main))
