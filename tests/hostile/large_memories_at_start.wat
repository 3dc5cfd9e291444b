  ;; Wants two memories to begin with, each allowed, and together too much.
  (core module $Main
    (memory 640) (memory 640)
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.const 0)))
  (core instance $main (instantiate $Main))
