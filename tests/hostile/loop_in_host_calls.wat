  ;; Asks the host for ever.
  (core func $attempt (canon lower (func $context "attempt")))
  (core module $Main
    (import "host" "attempt" (func $attempt (result i32)))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (loop $again
        (drop (call $attempt))
        (br $again))
      unreachable))
  (core instance $main (instantiate $Main
    (with "host" (instance (export "attempt" (func $attempt))))))
