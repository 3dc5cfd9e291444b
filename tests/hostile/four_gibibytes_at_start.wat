  ;; Wants all the memory that an address can name to begin with.
  (core module $Main
    (memory 65536)
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.const 0)))
  (core instance $main (instantiate $Main))
