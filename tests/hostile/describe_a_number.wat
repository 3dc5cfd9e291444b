  ;; Says what it offers in a number.
  (core module $Main
    (import "std" "memory" (memory 1))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 0))
    (func (export "describe") (result i32) (i32.const 42)))
  (core instance $main (instantiate $Main (with "std" (instance $std))))
  (func $describe (result u32) (canon lift (core func $main "describe")))
  (instance $description (export "describe" (func $describe)))
  (export "gristmill:job/describe@0.1.0" (instance $description))
