  ;; Computes for ever.
  (core module $Main
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (loop $again (br $again))
      unreachable))
  (core instance $main (instantiate $Main))
