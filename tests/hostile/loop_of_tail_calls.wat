  ;; Calls itself for ever without a stack to run out of.
  (core module $Main
    (func $again (result i32) (return_call $again))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (call $again)))
  (core instance $main (instantiate $Main))
