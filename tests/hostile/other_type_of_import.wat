  ;; Wants the time as a text.
  (import "gristmill:job/system@0.1.0" (instance
    (export "now" (func (result string)))))
  (core module $Main
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.const 0)))
  (core instance $main (instantiate $Main))
