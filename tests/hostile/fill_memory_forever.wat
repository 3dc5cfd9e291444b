  ;; One instruction that writes a lot, for ever: the host must come in between.
  (core module $Main
    (memory 512)
    (func (export "handle") (param i32 i32 i32 i32 i32 i32) (result i32)
      (loop $again
        (memory.fill (i32.const 0) (i32.const 1) (i32.const 33554432))
        (br $again))
      unreachable))
  (core instance $main (instantiate $Main))
