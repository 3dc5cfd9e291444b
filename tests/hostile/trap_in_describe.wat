  ;; Traps when it is asked what it offers.
  (core module $Main
    (import "std" "memory" (memory 1))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 0))
    (func (export "describe") (result i32) unreachable))
  (core instance $main (instantiate $Main (with "std" (instance $std))))
  (func $describe (result string)
    (canon lift (core func $main "describe") (memory (core memory $std "memory"))))
  (instance $description (export "describe" (func $describe)))
  (export "gristmill:job/describe@0.1.0" (instance $description))
