  ;; Calls the host while the host waits for memory.
  (core func $attempt (canon lower (func $context "attempt")))
  (core module $Std
    (import "host" "attempt" (func $attempt (result i32)))
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (call $attempt)))
  (core instance $std (instantiate $Std
    (with "host" (instance (export "attempt" (func $attempt))))))
  (core module $Main
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32) (i32.const 0)))
  (core instance $main (instantiate $Main))
