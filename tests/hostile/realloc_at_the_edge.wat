  ;; Has its input written at the end of its memory, and beyond.
  (core module $Std
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65535)))
  (core instance $std (instantiate $Std))
  (core module $Main
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 0)))
  (core instance $main (instantiate $Main))
