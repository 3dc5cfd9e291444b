  ;; Has the interface that says what it offers, and no function in it.
  (core module $Main
    (import "std" "memory" (memory 1))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 0))
)
  (core instance $main (instantiate $Main (with "std" (instance $std))))
  (instance $description )
  (export "gristmill:job/describe@0.1.0" (instance $description))
