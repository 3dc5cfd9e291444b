  ;; Grows its table until it can't.
  (core module $Main
    (table 0 funcref)
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (loop $more
        (br_if $more (i32.ne (table.grow (ref.null func) (i32.const 100)) (i32.const -1))))
      unreachable))
  (core instance $main (instantiate $Main))
