  ;; Uses memory that is collected, which is switched off here.
  (core module $Main
    (type $list (struct (field (ref null 0))))
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (drop (struct.new_default $list))
      (i32.const 0)))
  (core instance $main (instantiate $Main))
