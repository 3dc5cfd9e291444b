  ;; Throws what nobody catches, which is switched off here.
  (core module $Main
    (tag $oops)
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (throw $oops)))
  (core instance $main (instantiate $Main))
