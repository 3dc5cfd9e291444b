  ;; Says what it offers, and it is no text.
  (core module $Main
    (import "std" "memory" (memory 1))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 0))
    (data (i32.const 1024) "\ff\fe\fd\fc")
    (func (export "describe") (result i32)
      (i32.store (i32.const 64) (i32.const 1024))
      (i32.store (i32.const 68) (i32.const 4))
      (i32.const 64)))
  (core instance $main (instantiate $Main (with "std" (instance $std))))
  (func $describe (result string)
    (canon lift (core func $main "describe") (memory (core memory $std "memory"))))
  (instance $description (export "describe" (func $describe)))
  (export "gristmill:job/describe@0.1.0" (instance $description))
