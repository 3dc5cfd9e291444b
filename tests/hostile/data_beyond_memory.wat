  ;; Its data has no room in its memory.
  (core module $Main
    (memory 1)
    (data (i32.const 0x7fffffff) "x")
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.const 0)))
  (core instance $main (instantiate $Main))
