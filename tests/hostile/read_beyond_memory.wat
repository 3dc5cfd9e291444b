  ;; Reads where no memory is.
  (core module $Main
    (memory 1)
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.load (i32.const -4))))
  (core instance $main (instantiate $Main))
